import type { StreamContainer } from './ffmpeg-stream.ts';

/** A client's piece as a decoder is to get it. */
interface StreamPiece {
  readonly bytes: Buffer;
  /** It begins a stream of its own: what decodes the one before must end first. */
  readonly isNew: boolean;
}

/** Some recorders are stopped and started for every piece, so each has a header. */
export type PieceReader = (piece: Buffer) => StreamPiece;

const HEADERS: Readonly<Record<Exclude<StreamContainer, 'wav'>, (piece: Buffer) => boolean>> = {
  webm: (piece) => piece.toString('latin1', 0, 4) === '\x1aE\xdf\xa3',
  // A page that begins a logical stream.
  ogg: (piece) => piece.toString('latin1', 0, 4) === 'OggS' && (piece[5]! & 2) !== 0,
  mp4: (piece) => piece.toString('latin1', 4, 8) === 'ftyp',
  flac: (piece) => piece.toString('latin1', 0, 4) === 'fLaC',
  // Frames of either go on from one piece to the next.
  mp3: () => false,
  aac: () => false,
};

export function pieceReader(container: StreamContainer): PieceReader {
  if (container === 'wav') return wavReader();
  let isFirst = true;
  return (bytes) => {
    const isNew = isFirst || HEADERS[container](bytes);
    isFirst = false;
    return { bytes, isNew };
  };
}

const RIFF_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
const MAX_HEADER_BYTES = 64 * 1024;
/** A recorder that cannot seek back leaves one of these as the size of its sound. */
const UNKNOWN_SIZES: ReadonlySet<number> = new Set([0, 0x7fff_ffff, 0xffff_ffff]);
const BLOCK_BYTES_AT = 12;
/** What writers put behind the sound. */
const TRAILERS: ReadonlySet<string> = new Set(
  'LIST,id3 ,ID3 ,fact,bext,cue ,smpl,inst,JUNK,junk,PEAK,iXML,axml,cart,afsp,PAD ,_PMX'.split(','),
);

interface WavHeader {
  readonly format: Buffer;
  /** Bytes up to the sound. */
  readonly headerBytes: number;
  readonly soundBytes: number;
}

/**
 * One WAV stream without end of pieces that may each have a header. A size that has been used up is
 * taken for wrong where sound follows: some write the first piece's header for all of them.
 */
function wavReader(): PieceReader {
  let format: Buffer | undefined;
  let pending: Buffer = Buffer.alloc(0);
  let leftBytes = 0;
  let skippedBytes = 0;
  let givenBytes = 0;

  const soundIn = (body: Buffer): Buffer[] => {
    if (body.length === 0) return [];
    if (skippedBytes > 0) {
      const skipped = Math.min(skippedBytes, body.length);
      skippedBytes -= skipped;
      return soundIn(body.subarray(skipped));
    }
    if (leftBytes === 0) {
      skippedBytes = trailerBytes(body);
      if (skippedBytes > 0) return soundIn(body);
      leftBytes = Number.POSITIVE_INFINITY;
    }
    const sound = body.subarray(0, leftBytes);
    leftBytes -= sound.length;
    givenBytes += sound.length;
    return [sound, ...soundIn(body.subarray(sound.length))];
  };

  return (piece) => {
    const bytes = pending.length > 0 ? Buffer.concat([pending, piece]) : piece;
    pending = Buffer.alloc(0);
    if (!isRiff(bytes)) return { bytes: Buffer.concat(soundIn(bytes)), isNew: false };
    const header = readHeader(bytes);
    if (header === undefined && bytes.length < MAX_HEADER_BYTES) {
      pending = bytes;
      return { bytes: pending.subarray(0, 0), isNew: false };
    }
    // A header that cannot be read is the decoder's to refuse.
    if (header === undefined) return { bytes, isNew: true };
    leftBytes = header.soundBytes;
    skippedBytes = 0;
    const isNew = format === undefined || !format.equals(header.format);
    const blockBytes = Math.max(1, header.format.readUInt16LE(BLOCK_BYTES_AT));
    const padding = isNew ? 0 : (blockBytes - (givenBytes % blockBytes)) % blockBytes;
    const before = isNew ? endlessHeader(header.format) : Buffer.alloc(padding);
    format = header.format;
    givenBytes = isNew ? 0 : givenBytes + padding;
    return {
      bytes: Buffer.concat([before, ...soundIn(bytes.subarray(header.headerBytes))]),
      isNew,
    };
  };
}

const isRiff = (bytes: Buffer): boolean =>
  ['RIFF', 'RF64'].includes(bytes.toString('latin1', 0, 4)) &&
  'WAVE'.startsWith(bytes.toString('latin1', 8, RIFF_BYTES));

/** Undefined where the sound has not begun yet. */
function readHeader(bytes: Buffer): WavHeader | undefined {
  let format: Buffer | undefined;
  for (let at = RIFF_BYTES; at + CHUNK_HEAD_BYTES <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = at + CHUNK_HEAD_BYTES;
    if (name === 'data' && format !== undefined) {
      const soundBytes = UNKNOWN_SIZES.has(size) ? Number.POSITIVE_INFINITY : size;
      return { format, headerBytes: body, soundBytes };
    }
    if (name === 'fmt ' && size >= 16 && body + size <= bytes.length) {
      format = bytes.subarray(body, body + size);
    }
    at = body + size + (size % 2);
  }
  return undefined;
}

/** A header of unknown sizes: what follows it goes on as long as the stream does. */
function endlessHeader(format: Buffer): Buffer {
  const head = Buffer.alloc(RIFF_BYTES + CHUNK_HEAD_BYTES);
  head.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  head.writeUInt32LE(format.length, RIFF_BYTES + 4);
  const padding = Buffer.alloc(format.length % 2);
  return Buffer.concat([head, format, padding, Buffer.from('data\0\0\0\0', 'latin1')]);
}

/** 0 where sound goes on. */
function trailerBytes(body: Buffer): number {
  if (body.length < CHUNK_HEAD_BYTES || !TRAILERS.has(body.toString('latin1', 0, 4))) return 0;
  const size = body.readUInt32LE(4);
  return CHUNK_HEAD_BYTES + size + (size % 2);
}
