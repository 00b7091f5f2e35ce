import { open } from 'node:fs/promises';
import { FileWindow, WINDOW_BYTES } from './file-window.ts';
import { type FrameReader, findFrames, readAdtsFrame, readMp3Frame } from './frame-headers.ts';
import type { MediaType } from './media-type.ts';

/** Frames that are missing where none has a timestamp: all behind them would come too early. */
export interface LostFrames {
  /** Length of the frames before them. */
  readonly timestampMs: number;
  readonly missingMs: number;
}

const READERS: Partial<Record<MediaType, FrameReader>> = { mp3: readMp3Frame, aac: readAdtsFrame };
/** No three frames are longer; so much of a window is left to the next one. */
const OVERLAP_BYTES = 3 * 8192;
/** What stands between files that were joined. */
const TAGS = ['ID3', 'TAG', 'APETAGEX'];

/**
 * Where frames of MP3 or ADTS were overwritten. Their length is that of the bytes, by the mean of
 * all others. What lies before the first frame and behind the last one is not looked at.
 */
export async function findLostFrames(path: string, mediaType: MediaType): Promise<LostFrames[]> {
  const read = READERS[mediaType];
  if (read === undefined) return [];
  const file = await open(path, 'r');
  try {
    return await walkFrames(new FileWindow(file), read);
  } finally {
    await file.close();
  }
}

async function walkFrames(window: FileWindow, read: FrameReader): Promise<LostFrames[]> {
  const holes: { timestampMs: number; byteCount: number }[] = [];
  let [position, timestampMs, frameBytes, frameCount] = [0, 0, 0, 0];
  for (;;) {
    const bytes = await window.from(position, OVERLAP_BYTES);
    const frame = read(bytes, 0);
    if (frame === undefined) {
      const next = await nextFrames(window, position, read);
      if (next === undefined) break;
      const isTag = TAGS.some((tag) => bytes.toString('latin1', 0, tag.length) === tag);
      if (frameCount > 0 && !isTag) holes.push({ timestampMs, byteCount: next - position });
      position = next;
    } else {
      position += frame.byteCount;
      frameBytes += frame.byteCount;
      timestampMs += frame.durationMs;
      frameCount += 1;
    }
  }
  return holes
    .filter(({ byteCount }) => byteCount >= frameBytes / frameCount)
    .map((hole) => ({
      timestampMs: hole.timestampMs,
      missingMs: (hole.byteCount * timestampMs) / frameBytes,
    }));
}

/** Undefined if there are no more. */
async function nextFrames(
  window: FileWindow,
  start: number,
  read: FrameReader,
): Promise<number | undefined> {
  for (let position = start; ; position += WINDOW_BYTES - OVERLAP_BYTES) {
    const bytes = await window.load(position);
    const found = findFrames(bytes, 0, WINDOW_BYTES - OVERLAP_BYTES, read);
    if (found >= 0) return position + found;
    if (bytes.length < WINDOW_BYTES) return undefined;
  }
}
