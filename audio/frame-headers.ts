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

/** Two frames that follow where the one before says are no accident. */
const FRAMES_IN_A_ROW = 3;
const LONGEST_FRAME_BYTES = 2881;

/** Sync word and valid fields, layers II and III: layer I would take UTF-16 text for MP3. */
export function isMp3Frame(bytes: Buffer, start: number): boolean {
  const [byte0 = 0, byte1 = 0, byte2 = 0] = bytes.subarray(start, start + 3);
  const hasSync = byte0 === 0xff && (byte1 & 0xe0) === 0xe0;
  const version = (byte1 >> 3) & 3;
  const layer = (byte1 >> 1) & 3;
  const isKnown = version !== 1 && (layer === LAYER3 || layer === LAYER2);
  return hasSync && isKnown && byte2 >> 4 !== 15 && ((byte2 >> 2) & 3) !== 3;
}

/** Whether MP3 frames begin within the first one's reach, as in a stream that was joined late. */
export function startsInsideMp3(bytes: Buffer): boolean {
  for (let start = 0; start <= LONGEST_FRAME_BYTES && start < bytes.length; start += 1) {
    let next = start;
    let frames = 0;
    while (frames < FRAMES_IN_A_ROW && isMp3Frame(bytes, next)) {
      const frameBytes = mp3FrameBytes(bytes, next);
      if (frameBytes === 0) break;
      next += frameBytes;
      frames += 1;
    }
    if (frames === FRAMES_IN_A_ROW) return true;
  }
  return false;
}

/** 0 for the free format, whose frames do not say. */
function mp3FrameBytes(bytes: Buffer, start: number): number {
  const byte1 = bytes[start + 1]!;
  const byte2 = bytes[start + 2]!;
  const version = (byte1 >> 3) & 3;
  const layer = (byte1 >> 1) & 3;
  const table = layer === LAYER2 ? KBIT_PER_SEC.layer2 : KBIT_PER_SEC.layer3;
  const kilobits = (version === MPEG1 ? table : KBIT_PER_SEC.low)[byte2 >> 4]!;
  const divisor = version === MPEG1 ? 1 : version === MPEG2 ? 2 : 4;
  const rateHz = MPEG1_HZ[(byte2 >> 2) & 3]! / divisor;
  const samples = layer === LAYER3 && version !== MPEG1 ? 576 : 1152;
  const padding = (byte2 >> 1) & 1;
  return kilobits === 0 ? 0 : Math.floor((samples * kilobits * 1000) / 8 / rateHz) + padding;
}

/** AAC as broadcasters and HLS send it, and a second frame where the first one ends. */
export function isAdtsFrame(bytes: Buffer): boolean {
  const length = adtsFrameBytes(bytes, 0);
  return length > 0 && (length >= bytes.length || adtsFrameBytes(bytes, length) > 0);
}

/** 0 where there is none (ISO/IEC 13818-7, 6.2). */
function adtsFrameBytes(bytes: Buffer, start: number): number {
  const head = bytes.subarray(start, start + 7);
  if (head.length < 7 || head[0] !== 0xff || (head[1]! & 0xf6) !== 0xf0) return 0;
  const hasRate = ((head[2]! >> 2) & 15) <= 12;
  const frameBytes = (head.readUInt32BE(3) >> 13) & 0x1fff;
  return hasRate && frameBytes >= 7 ? frameBytes : 0;
}
