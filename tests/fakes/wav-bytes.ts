export interface WavShape {
  readonly channelCount?: number;
  readonly rateHz?: number;
  /** Makes the header WAVE_FORMAT_EXTENSIBLE. */
  readonly channelMask?: number;
  /** What the header claims instead of the truth. */
  readonly claimedDataBytes?: number;
  readonly claimedChannels?: number;
}

const SUBTYPE_TAIL = Buffer.from('000000001000800000aa00389b71', 'hex');

/** A WAV file of interleaved samples, honest unless told otherwise. */
export function wavBytes(samples: Int16Array | Float32Array, shape: WavShape = {}): Buffer {
  const { channelCount = 1, rateHz = 16_000, channelMask, claimedDataBytes } = shape;
  const isFloat = samples instanceof Float32Array;
  const tag = isFloat ? 3 : 1;
  const blockBytes = channelCount * samples.BYTES_PER_ELEMENT;
  const format = Buffer.alloc(channelMask === undefined ? 16 : 40);
  format.writeUInt16LE(channelMask === undefined ? tag : 0xfffe, 0);
  format.writeUInt16LE(shape.claimedChannels ?? channelCount, 2);
  format.writeUInt32LE(rateHz, 4);
  format.writeUInt32LE((rateHz * blockBytes) >>> 0, 8);
  format.writeUInt16LE(blockBytes, 12);
  format.writeUInt16LE(samples.BYTES_PER_ELEMENT * 8, 14);
  if (channelMask !== undefined) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(samples.BYTES_PER_ELEMENT * 8, 18);
    format.writeUInt32LE(channelMask, 20);
    format.writeUInt16LE(tag, 24);
    SUBTYPE_TAIL.copy(format, 26);
  }
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const body = [
    Buffer.from('WAVE'),
    chunk('fmt ', format, format.length),
    chunk('data', data, claimedDataBytes ?? data.length),
  ];
  const riff = Buffer.concat(body);
  return chunk('RIFF', riff, riff.length);
}

/** A RIFF chunk whose header claims `claimedBytes`. */
export function chunk(id: string, body: Uint8Array, claimedBytes: number): Buffer {
  const head = Buffer.alloc(8, id);
  head.writeUInt32LE(claimedBytes >>> 0, 4);
  return Buffer.concat([head, body]);
}

/** Reproducible noise with peaks at full scale. */
export function noise(sampleCount: number, seed = 1): Int16Array {
  let state = seed;
  return Int16Array.from({ length: sampleCount }, (_, sample) => {
    if (sample % 100 === 0) return sample % 200 === 0 ? 32_767 : -32_768;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) - 32_768;
  });
}
