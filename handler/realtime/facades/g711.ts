const BIAS = 0x84;

/** A byte of G.711 µ-law as a 16-bit level (ITU-T G.711, table 2). */
function muLawLevel(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = (((bits & 0x0f) << 3) + BIAS) << ((bits & 0x70) >> 4);
  return bits & 0x80 ? BIAS - magnitude : magnitude - BIAS;
}

/** A byte of G.711 A-law as a 16-bit level (ITU-T G.711, table 1). */
function aLawLevel(code: number): number {
  const bits = code ^ 0x55;
  const exponent = (bits & 0x70) >> 4;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

const LEVELS = {
  mulaw: Int16Array.from({ length: 256 }, (_, code) => muLawLevel(code)),
  alaw: Int16Array.from({ length: 256 }, (_, code) => aLawLevel(code)),
} as const;

/** Telephone audio → little-endian int16 of the same rate. */
export function g711ToPcm16(bytes: Buffer, law: 'mulaw' | 'alaw'): Buffer {
  const levels = LEVELS[law];
  const pcm16 = Buffer.alloc(bytes.length * 2);
  for (const [sample, code] of bytes.entries()) pcm16.writeInt16LE(levels[code]!, sample * 2);
  return pcm16;
}
