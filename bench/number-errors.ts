/** How the numbers of a text compare with those that should stand there. */
export interface NumberCounts {
  readonly expected: number;
  readonly found: number;
  /** Numbers that should not be there, in whatever place. */
  readonly invented: number;
}

/** Digits with commas and a point; 만, 억 and 조 join what stands before them to one amount. */
const NUMBER =
  /\d+(?:,\d{3})*(?:\.\d+)?[십백천만억조]*(?:(?<=[만억조]) \d[\d,]*[십백천만억조]*)*/gu;
const PART = /(\d[\d,.]*)([십백천만억조]*)/gu;
const UNITS: Readonly<Record<string, number>> = {
  ...{ 십: 10, 백: 100, 천: 1e3, 만: 1e4, 억: 1e8, 조: 1e12 },
};

/** The numbers in digits of a text by their value, so that 2천, 2,000 and 2000 are one. */
export function numbersOf(text: string): string[] {
  return [...text.matchAll(NUMBER)].map(([number]) => {
    // 007 and 010 are not 7 and 10.
    if (/^\d+$/.test(number)) return number;
    const parts = [...number.matchAll(PART)].map(([, digits = '', units = '']) =>
      [...units].reduce((value, unit) => value * UNITS[unit]!, Number(digits.replaceAll(',', ''))),
    );
    return String(parts.reduce((sum, part) => sum + part));
  });
}

/** Numbers of the text that was expected in the text that is there, each counted once. */
export function countNumberErrors(expectedText: string, text: string): NumberCounts {
  const expected = numbersOf(expectedText);
  const left = numbersOf(text);
  const total = left.length;
  for (const number of expected) {
    const at = left.indexOf(number);
    if (at >= 0) left.splice(at, 1);
  }
  return { expected: expected.length, found: total - left.length, invented: left.length };
}
