/** Samples of a mono WAV in memory, 16-bit integers or 32-bit floats, in [-1, 1]. */
export function readWavSamples(file: Buffer): Float32Array<ArrayBuffer> {
  let bitsPerSample = 16;
  for (let at = 12; at + 8 <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    const kind = file.toString('latin1', at, at + 4);
    if (kind === 'fmt ') bitsPerSample = file.readUInt16LE(at + 22);
    if (kind === 'data') return decode(file.subarray(at + 8, at + 8 + size), bitsPerSample);
    at += 8 + size + (size % 2);
  }
  throw new Error('The WAV file has no data');
}

function decode(data: Buffer, bitsPerSample: number): Float32Array<ArrayBuffer> {
  return bitsPerSample === 32
    ? Float32Array.from({ length: data.length / 4 }, (_, i) => data.readFloatLE(4 * i))
    : Float32Array.from({ length: data.length / 2 }, (_, i) => data.readInt16LE(2 * i) / 32_768);
}
