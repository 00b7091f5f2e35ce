import { open } from 'node:fs/promises';
import type { DecodeTask } from './decode-task.ts';
import type { MediaType } from './media-type.ts';
import { type SampleRange, samplesToSec, secToSamples } from './time.ts';
import { announcedWavSec } from './wav-header.ts';
import type { AudioWarning } from './waveform.ts';

/** What decoding has shown of a file. */
export interface Findings {
  readonly sampleCount: number;
  /** Where blocks were missing between others. */
  readonly gaps: readonly SampleRange[];
  readonly complaints: readonly string[];
  /** What the structure of the file shows, before it is decoded. */
  readonly isCut?: boolean;
  readonly isDamaged?: boolean;
}

/** A padded last frame, a rounded header and a stale one are no loss: half a second and 1 %. */
const mayAnnounce = (decodedSec: number): number => (decodedSec + 0.5) * 1.01;

/** Their length is the sound's own; elsewhere a picture may be longer than the sound. */
const ANNOUNCES_SOUND: ReadonlySet<MediaType> = new Set(['mp3', 'flac', 'aiff']);
/** Wordings of ffmpeg 4.2 to 8 in mov.c and matroskadec.c. */
const ENDS_EARLY = /\[error\].*(partial file|File ended prematurely)/;
const IS_ESTIMATE = /Estimating duration from bitrate/;
/** A list of single frames helps nobody. */
const JOINED_WITHIN_SEC = 1;
const DURATION = /\[info\]\s+Duration: (\d+):(\d\d):(\d\d\.\d+)/;
/** A picture's codec is not allowed either, and two recordings in one file are no damage. */
const IS_DAMAGE = /\[error\](?!.*(not on whitelist|non monotonically increasing))/;

/** The warnings of a decoded file; a healthy one, whatever its recorder left out, has none. */
export async function findWarnings(
  { path, mediaType }: Pick<DecodeTask, 'path' | 'mediaType'>,
  { sampleCount, gaps, complaints, ...structure }: Findings,
): Promise<AudioWarning[]> {
  const decodedSec = samplesToSec(sampleCount);
  const announcedSec =
    mediaType === 'wav' ? await announcedWavSec(path) : announcedByFfmpeg(complaints);
  const isShort = announcedSec !== undefined && announcedSec > mayAnnounce(decodedSec);
  const isCut =
    structure.isCut ||
    complaints.some((line) => ENDS_EARLY.test(line)) ||
    (mediaType === 'ogg' && (await endsInsideOggPage(path))) ||
    (isShort && (mediaType === 'wav' || ANNOUNCES_SOUND.has(mediaType)));
  const hasDamage = structure.isDamaged || complaints.some((line) => IS_DAMAGE.test(line));
  const isDamaged = hasDamage && (gaps.length > 0 || (isShort && !isCut));
  return [
    ...(isCut ? [truncated(decodedSec, isShort ? announcedSec : undefined)] : []),
    ...(isDamaged ? [damaged(gaps)] : []),
  ];
}

function truncated(decodedSec: number, announcedSec: number | undefined): AudioWarning {
  const found = `The recording is cut off after ${decodedSec.toFixed(1)} s`;
  return {
    code: 'AUDIO_TRUNCATED',
    message:
      announcedSec === undefined
        ? `${found}; the file does not say how long it should be`
        : `${found}, of the ${announcedSec.toFixed(1)} s that the file announces`,
    decodedSec,
    ...(announcedSec !== undefined && { announcedSec }),
  };
}

function damaged(gaps: readonly SampleRange[]): AudioWarning {
  const message =
    'Parts of the recording are damaged: they could not be decoded, and count as silence';
  const ranges = gaps.reduce<SampleRange[]>((joined, gap) => {
    const last = joined.at(-1);
    const isNear = last !== undefined && gap.start - last.end < secToSamples(JOINED_WITHIN_SEC);
    if (isNear) joined[joined.length - 1] = { start: last.start, end: gap.end };
    else joined.push(gap);
    return joined;
  }, []);
  return { code: 'AUDIO_DAMAGED', message, ...(ranges.length > 0 && { ranges }) };
}

/** Undefined without one, and for an estimate by the size of the file. */
function announcedByFfmpeg(complaints: readonly string[]): number | undefined {
  if (complaints.some((line) => IS_ESTIMATE.test(line))) return undefined;
  for (const line of complaints) {
    const [, hours, minutes, seconds] = DURATION.exec(line) ?? [];
    if (seconds !== undefined) return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  return undefined;
}

const OGG_PAGE_HEAD_BYTES = 27;
const MAX_OGG_PAGE_BYTES = OGG_PAGE_HEAD_BYTES + 255 + 255 * 255;

/** Whether the file ends before the last of its pages does (RFC 3533, section 6). */
async function endsInsideOggPage(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - MAX_OGG_PAGE_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const tail = buffer.subarray(0, bytesRead);
    const lastPage = tail.lastIndexOf('OggS\0', undefined, 'latin1');
    if (lastPage < 0) return false;
    const page = tail.subarray(lastPage);
    const segmentCount = page[OGG_PAGE_HEAD_BYTES - 1];
    if (segmentCount === undefined) return true;
    const headBytes = OGG_PAGE_HEAD_BYTES + segmentCount;
    const segments = page.subarray(OGG_PAGE_HEAD_BYTES, headBytes);
    const pageBytes = segments.reduce((sum, segment) => sum + segment, headBytes);
    return page.length < pageBytes;
  } finally {
    await file.close();
  }
}
