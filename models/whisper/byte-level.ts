/** The characters that GPT-2's byte-level BPE writes for the bytes 0 to 255, in their order. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

function byteCharacters(): string[] {
  const isShown = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isShown(byte) ? byte : 256 + hidden++),
  );
}

const BYTE_OF = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));
const SPACE = BYTE_CHARACTERS[32]!;
/** Most entries: they are written as they are, but for the space. */
const IS_PLAIN = new RegExp(`^[!-~${SPACE}]*$`);

/** What an entry of a byte-level vocabulary stands for; half a character becomes U+FFFD. */
export function textOfEntry(entry: string): string {
  if (IS_PLAIN.test(entry)) return entry.replaceAll(SPACE, ' ');
  const bytes = Buffer.alloc(entry.length);
  for (let i = 0; i < entry.length; i++) bytes[i] = BYTE_OF.get(entry[i]!) ?? 0;
  return bytes.toString('utf8');
}
