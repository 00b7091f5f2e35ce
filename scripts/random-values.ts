export type RandomDtype = 'F32' | 'F16' | 'BF16';

/** Distinct values of a distribution: one for each half of a 32-bit random number. */
const LEVELS = 65_536;

/** Uniform random numbers as the bytes of a stored type, the same for the same seed everywhere. */
export class RandomValues {
  readonly #dtype: RandomDtype;
  #state: number;

  constructor(seed: number, dtype: RandomDtype) {
    this.#state = seed === 0 ? 1 : seed;
    this.#dtype = dtype;
  }

  /** The next `count` numbers within `centre ± spread`, little-endian; `count` even but for the last. */
  next(count: number, centre: number, spread: number): Uint8Array {
    const table = tableOf(this.#dtype, centre, spread);
    const values = table instanceof Float32Array ? new Float32Array(count) : new Uint16Array(count);
    let state = this.#state;
    for (let i = 0; i < count; i += 2) {
      state ^= state << 13; // Marsaglia's xorshift32
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = table[state & 0xffff]!;
      if (i + 1 < count) values[i + 1] = table[state >>> 16]!;
    }
    this.#state = state;
    return new Uint8Array(values.buffer);
  }
}

/** A network has few distributions and many tensors. */
const tables = new Map<string, Float32Array | Uint16Array>();

function tableOf(dtype: RandomDtype, centre: number, spread: number): Float32Array | Uint16Array {
  const key = `${dtype} ${centre} ${spread}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const exact = Float32Array.from(
    { length: LEVELS },
    (_, level) => centre + spread * ((2 * level + 1) / LEVELS - 1),
  );
  const encode = dtype === 'F16' ? floatToHalf : floatToBrain;
  const table = dtype === 'F32' ? exact : Uint16Array.from(exact, encode);
  tables.set(key, table);
  return table;
}

const word = new DataView(new ArrayBuffer(4));

function bitsOf(value: number): number {
  word.setFloat32(0, value);
  return word.getUint32(0);
}

/** bfloat16: the upper half of a float32, rounded to nearest, ties to even. */
function floatToBrain(value: number): number {
  const bits = bitsOf(value);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** IEEE 754 binary16 of a value below 65,504, rounded to nearest, ties to even. */
export function floatToHalf(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  if (size === 0) return sign;
  const steps = roundToEven(size / 2 ** (exponent - 10));
  // A fraction that rounds up to 2,048 carries into the exponent by itself.
  return sign | (steps < 1024 ? steps : ((exponent + 15) << 10) + (steps - 1024));
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
