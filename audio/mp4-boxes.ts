import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { FileWindow, WINDOW_BYTES } from './file-window.ts';

/** What the boxes of an MP4 file say of its bytes. */
interface BoxReport {
  /** The last box is longer than the file. */
  readonly isCut: boolean;
  /** What lies between whole boxes and the next fragment. */
  readonly breaks: readonly { readonly start: number; readonly end: number }[];
}

/** Length and type; 16 with a 64-bit length. */
const HEAD_BYTES = 8;
const LONG_HEAD_BYTES = 16;
const BOX_TYPE = /^[\w ©-]{4}$/;
/** `moof` and, as its first part, `mfhd`. */
const FRAGMENT_HEAD_BYTES = 16;

/**
 * Reads the outermost boxes (ISO/IEC 14496-12, 4.2). ffmpeg stops at the first one that makes no
 * sense, so where fragments follow, `path` is that of a copy in which a `free` box covers the break.
 */
export async function mendBoxes(
  path: string,
  workingFolder: string,
): Promise<BoxReport & { readonly path: string }> {
  const report = await readBoxes(path);
  if (report.breaks.length === 0) return { ...report, path };
  const copy = join(workingFolder, 'mended.mp4');
  await copyFile(path, copy);
  const file = await open(copy, 'r+');
  try {
    for (const { start, end } of report.breaks) {
      const head = Buffer.from('....free', 'latin1');
      head.writeUInt32BE(end - start);
      await file.write(head, 0, head.length, start);
    }
  } finally {
    await file.close();
  }
  return { ...report, path: copy };
}

async function readBoxes(path: string): Promise<BoxReport> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const window = new FileWindow(file);
    const breaks: { start: number; end: number }[] = [];
    let position = 0;
    while (position + HEAD_BYTES <= size) {
      const boxBytes = readBoxBytes(await window.from(position, LONG_HEAD_BYTES));
      if (boxBytes === 0) break; // to the end of the file
      if (boxBytes === undefined) {
        const end = await findFragment(window, position + HEAD_BYTES);
        if (end === undefined) break;
        breaks.push({ start: position, end });
        position = end;
      } else {
        position += boxBytes;
      }
    }
    return { isCut: position > size, breaks };
  } finally {
    await file.close();
  }
}

/** Undefined for what is no box. */
function readBoxBytes(head: Buffer): number | undefined {
  if (!BOX_TYPE.test(head.toString('latin1', 4, HEAD_BYTES))) return undefined;
  const shortBytes = head.readUInt32BE(0);
  const isLong = shortBytes === 1;
  if (isLong && head.length < LONG_HEAD_BYTES) return undefined;
  const boxBytes = isLong ? Number(head.readBigUInt64BE(HEAD_BYTES)) : shortBytes;
  return boxBytes === 0 || boxBytes >= HEAD_BYTES ? boxBytes : undefined;
}

async function findFragment(window: FileWindow, start: number): Promise<number | undefined> {
  for (let position = start; ; position += WINDOW_BYTES - FRAGMENT_HEAD_BYTES) {
    const bytes = await window.load(position);
    for (let type = bytes.indexOf('moof', 4); type >= 0; type = bytes.indexOf('moof', type + 1)) {
      const isFragment = bytes.toString('latin1', type + 8, type + 12) === 'mfhd';
      if (isFragment) return position + type - 4;
    }
    if (bytes.length < WINDOW_BYTES) return undefined;
  }
}
