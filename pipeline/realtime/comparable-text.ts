/** Letters and digits in one case: how words of two windows are compared. */
export const comparable = (text: string): string =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\s\p{P}\p{S}]/gu, '');

/** What a text says behind its first `length` letters and digits. */
export function textBehind(text: string, length: number): string {
  const characters = [...text.normalize('NFC')];
  let passed = 0;
  let index = 0;
  while (index < characters.length && passed < length) {
    passed += comparable(characters[index]!).length;
    index += 1;
  }
  return characters.slice(index).join('');
}

const SPACING_WAVERS =
  /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{N}]$/u;

/** Whether a space may stand behind this text in one window and not in the next: "할 수", "10 000". */
export const maySplitBehind = (text: string): boolean => SPACING_WAVERS.test(text);
