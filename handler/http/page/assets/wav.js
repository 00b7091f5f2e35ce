const HEADER_BYTES = 44;

/** A WAV file of 16-bit mono pieces. @param {Int16Array<ArrayBuffer>[]} pieces @param {number} rateHz */
export function wavOf(pieces, rateHz) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  const letters = (/** @type {number} */ at, /** @type {string} */ text) => {
    for (const [index, letter] of [...text].entries()) {
      header.setUint8(at + index, letter.charCodeAt(0));
    }
  };
  letters(0, 'RIFF');
  header.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  letters(8, 'WAVEfmt ');
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rateHz, true);
  header.setUint32(28, rateHz * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  letters(36, 'data');
  header.setUint32(40, bytes, true);
  return new Blob([header, ...pieces], { type: 'audio/wav' });
}
