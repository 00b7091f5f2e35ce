import { type FileHandle, open } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import { SAMPLE_RATE_HZ } from './time.ts';

/** Where the samples of a WAV file lie and how to read them. */
export interface WavLayout {
  readonly encoding: 'int16' | 'float32';
  readonly channelCount: number;
  /** Speaker bits of WAVE_FORMAT_EXTENSIBLE, 0 if the file names none. */
  readonly channelMask: number;
  readonly dataOffset: number;
  /** Whole frames that are really in the file, whatever the header claims. */
  readonly frameCount: number;
}

interface Chunk {
  readonly id: string;
  readonly bodyOffset: number;
  readonly claimedBytes: number;
}

interface WavFormat {
  readonly tag: number;
  readonly channelCount: number;
  readonly sampleRateHz: number;
  readonly blockBytes: number;
  readonly bitsPerSample: number;
  readonly channelMask: number;
}

const EXTENSIBLE = 0xfffe;
/** KSDATAFORMAT_SUBTYPE_…, behind its first two bytes, which are the format tag. */
const SUBTYPE_TAIL = '000000001000800000aa00389b71';
/** Recorders write a handful; a hostile file could hold millions. */
const MAX_CHUNKS = 64;
/** A recorder that could not seek back leaves 0, or one of several sizes from near 2 GiB on. */
const isUnknownSize = (bytes: number): boolean => bytes === 0 || bytes >= 0x7f00_0000;

/**
 * The layout of a 16 kHz WAV with 16-bit or float samples; undefined for any other, which is
 * ffmpeg's to read.
 * @throws {SttError} AUDIO_UNDECODABLE for a header that cannot be true.
 */
export async function readWavLayout(file: FileHandle): Promise<WavLayout | undefined> {
  const { format, data } = await findChunks(file);
  const { size } = await file.stat();
  return format && data && locateSamples(format, data, size);
}

/**
 * How many times as much sound as there is the header of a WAV announces; undefined where it does
 * not say. Bytes are compared: the seconds that a compressed WAV claims are often wrong.
 */
export async function announcedWavRatio(path: string): Promise<number | undefined> {
  const file = await open(path, 'r');
  try {
    const { data } = await findChunks(file);
    if (data === undefined || isUnknownSize(data.claimedBytes)) return undefined;
    const presentBytes = (await file.stat()).size - data.bodyOffset;
    return data.claimedBytes / Math.min(data.claimedBytes, presentBytes);
  } finally {
    await file.close();
  }
}

interface WavChunks {
  readonly format?: WavFormat | undefined;
  readonly data?: Chunk;
}

async function findChunks(file: FileHandle): Promise<WavChunks> {
  if ((await readBytes(file, 0, 4)).toString('latin1') !== 'RIFF') return {};
  let format: WavFormat | undefined;
  for (let offset = 12, count = 0; count < MAX_CHUNKS; count += 1) {
    const chunk = await readChunkHead(file, offset);
    if (chunk === undefined) break;
    if (chunk.id === 'fmt ') {
      format = parseFormat(
        await readBytes(file, chunk.bodyOffset, Math.min(40, chunk.claimedBytes)),
      );
    }
    if (chunk.id === 'data') return { format, data: chunk };
    offset = chunk.bodyOffset + chunk.claimedBytes + (chunk.claimedBytes % 2);
  }
  return {};
}

function locateSamples(format: WavFormat, data: Chunk, fileBytes: number): WavLayout | undefined {
  const encoding = encodingOf(format);
  const { channelCount, channelMask, blockBytes } = format;
  const bytesPerChannel = encoding === 'int16' ? 2 : 4;
  const isOurs = encoding !== undefined && blockBytes === channelCount * bytesPerChannel;
  if (!isOurs || format.sampleRateHz !== SAMPLE_RATE_HZ) return undefined;
  const presentBytes = fileBytes - data.bodyOffset;
  const dataBytes = isUnknownSize(data.claimedBytes)
    ? presentBytes
    : Math.min(data.claimedBytes, presentBytes);
  const frameCount = Math.floor(dataBytes / blockBytes);
  return { encoding, channelCount, channelMask, dataOffset: data.bodyOffset, frameCount };
}

function encodingOf({ tag, bitsPerSample }: WavFormat): WavLayout['encoding'] | undefined {
  if (tag === 1 && bitsPerSample === 16) return 'int16';
  if (tag === 3 && bitsPerSample === 32) return 'float32';
  return undefined;
}

/** The body of a `fmt ` chunk; undefined where it is too short. @throws {SttError} AUDIO_UNDECODABLE */
function parseFormat(body: Buffer): WavFormat | undefined {
  if (body.length < 16) return undefined;
  const tag = body.readUInt16LE(0);
  const channelCount = body.readUInt16LE(2);
  if (channelCount === 0) {
    throw new SttError('AUDIO_UNDECODABLE', 'The WAV header announces 0 channels');
  }
  const isExtensible = tag === EXTENSIBLE && body.length === 40;
  const isKnownSubtype = isExtensible && body.toString('hex', 26, 40) === SUBTYPE_TAIL;
  return {
    tag: isKnownSubtype ? body.readUInt16LE(24) : tag,
    channelCount,
    sampleRateHz: body.readUInt32LE(4),
    blockBytes: body.readUInt16LE(12),
    bitsPerSample: body.readUInt16LE(14),
    channelMask: isExtensible ? body.readUInt32LE(20) : 0,
  };
}

async function readChunkHead(file: FileHandle, offset: number): Promise<Chunk | undefined> {
  const head = await readBytes(file, offset, 8);
  if (head.length < 8) return undefined;
  const id = head.toString('latin1', 0, 4);
  return { id, bodyOffset: offset + 8, claimedBytes: head.readUInt32LE(4) };
}

async function readBytes(file: FileHandle, position: number, byteCount: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(byteCount), 0, byteCount, position);
  return buffer.subarray(0, bytesRead);
}
