/** A value of a file whose fields are separated by spaces; never empty. */
export const fieldName = (text: string): string =>
  text
    .trim()
    .replace(/[\s\p{Cc}]+/gu, '_')
    .replace(/^;;/, '_') || '-';

/** Three decimals. */
export const seconds = (ms: number): string => (ms / 1000).toFixed(3);
