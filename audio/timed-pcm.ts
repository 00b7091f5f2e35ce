import { SttError } from '../core/errors.ts';

/** One packet of decoded samples and its time in the container it comes from. */
export interface PcmBlock {
  /** From the start of the presentation; negative for what lies before it. */
  readonly timestampMs: number;
  /** Whole frames `[frames, channels]` of float32. */
  readonly bytes: Buffer;
  readonly frameCount: number;
}

/** What of Matroska's muxer matters here (RFC 9559); everything else is skipped. */
const SEGMENT = 0x18538067;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const AUDIO = 0xe1;
const CHANNELS = 0x9f;
const CLUSTER = 0x1f43b675;
const BLOCK_GROUP = 0xa0;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;
const PARENTS: ReadonlySet<number> = new Set([
  ...[SEGMENT, TRACKS, TRACK_ENTRY, AUDIO],
  ...[CLUSTER, BLOCK_GROUP],
]);
/** ID and size of an element. */
const MAX_HEAD_BYTES = 12;
/** Track number, int16 time relative to the cluster, flags. */
const BLOCK_HEAD_BYTES = 4;
const VALUES: ReadonlySet<number> = new Set([CHANNELS, TIMESTAMP, SIMPLE_BLOCK, BLOCK]);
const MAX_BLOCK_BYTES = 16 * 1024 * 1024;

interface ElementHead {
  readonly id: number;
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/**
 * Reads PCM as ffmpeg's Matroska muxer writes it to a pipe: raw PCM has no timestamps, and without
 * them a recording whose packets are missing is too short.
 */
export class TimedPcmReader {
  #rest: Buffer = Buffer.alloc(0);
  #skippedBytes = 0;
  #clusterMs = 0;
  #channelCount = 1;

  /** Known before the first block comes. */
  get channelCount(): number {
    return this.#channelCount;
  }

  /**
   * The blocks that are complete with `piece`.
   * @throws {SttError} AUDIO_UNDECODABLE for bytes that no muxer writes.
   */
  push(piece: Buffer): PcmBlock[] {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, piece]) : piece;
    const blocks: PcmBlock[] = [];
    for (;;) {
      const skipped = Math.min(this.#skippedBytes, bytes.length);
      this.#skippedBytes -= skipped;
      bytes = bytes.subarray(skipped);
      const head = this.#skippedBytes > 0 ? undefined : readHead(bytes);
      if (head === undefined) break;
      const { id, headBytes, bodyBytes } = head;
      if (PARENTS.has(id)) {
        bytes = bytes.subarray(headBytes);
      } else if (VALUES.has(id)) {
        if (bodyBytes > MAX_BLOCK_BYTES) throw notPcm();
        if (bytes.length < headBytes + bodyBytes) break;
        const body = bytes.subarray(headBytes, headBytes + bodyBytes);
        if (id === TIMESTAMP) this.#clusterMs = readInteger(body);
        else if (id === CHANNELS) this.#channelCount = readInteger(body);
        else blocks.push(this.#block(body));
        bytes = bytes.subarray(headBytes + bodyBytes);
      } else {
        this.#skippedBytes = headBytes + bodyBytes;
      }
    }
    this.#rest = bytes;
    return blocks;
  }

  #block(body: Buffer): PcmBlock {
    if (body.length < BLOCK_HEAD_BYTES) throw notPcm();
    const bytes = body.subarray(BLOCK_HEAD_BYTES);
    const frameBytes = this.#channelCount * Float32Array.BYTES_PER_ELEMENT;
    if (bytes.length % frameBytes !== 0) throw notPcm();
    const timestampMs = this.#clusterMs + body.readInt16BE(1);
    return { timestampMs, bytes, frameCount: bytes.length / frameBytes };
  }
}

/** Undefined while too little of it has come. */
function readHead(bytes: Buffer): ElementHead | undefined {
  const [first] = bytes;
  if (first === undefined) return undefined;
  const idBytes = Math.clz32(first) - 23;
  const sizeByte = bytes[idBytes];
  if (idBytes > 4) throw notPcm();
  if (sizeByte === undefined) return undefined;
  const sizeBytes = Math.clz32(sizeByte) - 23;
  const headBytes = idBytes + sizeBytes;
  if (headBytes > MAX_HEAD_BYTES || sizeBytes > 8) throw notPcm();
  if (bytes.length < headBytes) return undefined;
  const size = Buffer.from(bytes.subarray(idBytes, headBytes));
  size[0] = sizeByte & (0xff >> sizeBytes); // without the marker of its length
  return {
    id: readInteger(bytes.subarray(0, idBytes)),
    headBytes,
    bodyBytes: readInteger(size),
  };
}

const readInteger = (bytes: Buffer): number => bytes.reduce((value, byte) => value * 256 + byte, 0);

const notPcm = (): SttError =>
  new SttError('AUDIO_UNDECODABLE', 'The decoder wrote something other than samples');
