const KBIT_PER_SEC = {
  /** MPEG-1, layers II and III. */
  layer2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  layer3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  /** MPEG-2 and 2.5, both layers. */
  low: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const MPEG1_HZ = [44_100, 48_000, 32_000];
const MPEG1 = 3;
const MPEG2 = 2;
const LAYER3 = 1;
const LAYER2 = 2;

/** Frames that follow where the one before says are no accident. */
const FRAMES_IN_A_ROW = 3;
export const LONGEST_MP3_FRAME_BYTES = 2881;

/** What the header of a compressed frame says. */
export interface AudioFrame {
  readonly byteCount: number;
  readonly durationMs: number;
}

export type FrameReader = (bytes: Buffer, start: number) => AudioFrame | undefined;

/** Sync word and valid fields, layers II and III: layer I would take UTF-16 text for MP3. */
export function isMp3Frame(bytes: Buffer, start: number): boolean {
  const [byte0 = 0, byte1 = 0, byte2 = 0] = bytes.subarray(start, start + 3);
  const hasSync = byte0 === 0xff && (byte1 & 0xe0) === 0xe0;
  const version = (byte1 >> 3) & 3;
  const layer = (byte1 >> 1) & 3;
  const isKnown = version !== 1 && (layer === LAYER3 || layer === LAYER2);
  return hasSync && isKnown && byte2 >> 4 !== 15 && ((byte2 >> 2) & 3) !== 3;
}

/** Undefined where there is none, and for the free format, whose frames do not say their length. */
export const readMp3Frame: FrameReader = (bytes, start) => {
  const byte2 = bytes[start + 2] ?? 0;
  if (!isMp3Frame(bytes, start) || byte2 >> 4 === 0) return undefined;
  const byte1 = bytes[start + 1]!;
  const version = (byte1 >> 3) & 3;
  const layer = (byte1 >> 1) & 3;
  const table = layer === LAYER2 ? KBIT_PER_SEC.layer2 : KBIT_PER_SEC.layer3;
  const bitsPerSec = 1000 * (version === MPEG1 ? table : KBIT_PER_SEC.low)[byte2 >> 4]!;
  const divisor = version === MPEG1 ? 1 : version === MPEG2 ? 2 : 4;
  const rateHz = MPEG1_HZ[(byte2 >> 2) & 3]! / divisor;
  const samples = layer === LAYER3 && version !== MPEG1 ? 576 : 1152;
  const padding = (byte2 >> 1) & 1;
  return {
    byteCount: Math.floor((samples * bitsPerSec) / 8 / rateHz) + padding,
    durationMs: (1000 * samples) / rateHz,
  };
};

const ADTS_HZ = [
  ...[96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000],
  ...[22_050, 16_000, 12_000, 11_025, 8000, 7350],
];

/** AAC as broadcasters and HLS send it (ISO/IEC 13818-7, 6.2). */
export const readAdtsFrame: FrameReader = (bytes, start) => {
  const head = bytes.subarray(start, start + 7);
  if (head.length < 7 || head[0] !== 0xff || (head[1]! & 0xf6) !== 0xf0) return undefined;
  const rateHz = ADTS_HZ[(head[2]! >> 2) & 15];
  const byteCount = (head.readUInt32BE(3) >> 13) & 0x1fff;
  const samples = 1024 * ((head[6]! & 3) + 1);
  if (rateHz === undefined || byteCount < 7) return undefined;
  return { byteCount, durationMs: (1000 * samples) / rateHz };
};

/** Where the first of several frames in a row begins, looking no further than `end`; -1 if nowhere. */
export function findFrames(bytes: Buffer, start: number, end: number, read: FrameReader): number {
  const nextSync = (from: number): number => bytes.indexOf(0xff, from);
  for (let first = nextSync(start); first >= 0 && first < end; first = nextSync(first + 1)) {
    let next = first;
    let count = 0;
    for (
      let frame = read(bytes, next);
      frame && count < FRAMES_IN_A_ROW;
      frame = read(bytes, next)
    ) {
      next += frame.byteCount;
      count += 1;
    }
    if (count === FRAMES_IN_A_ROW) return first;
  }
  return -1;
}
