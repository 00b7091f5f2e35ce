import { readFile } from 'node:fs/promises';
import { SAMPLE_RATE_HZ, type SampleRange } from '../audio/time.ts';

/** Who speaks when: one stretch of speech of one person. */
export interface SpeakerTurn {
  readonly speaker: string;
  readonly range: SampleRange;
}

/** The `SPEAKER` lines of an RTTM text, by recording: onset and duration are fields 4 and 5, in seconds. */
export function parseRttm(text: string): Map<string, SpeakerTurn[]> {
  const recordings = new Map<string, SpeakerTurn[]>();
  for (const line of text.split('\n')) {
    const [type, recording, , onsetSec, durationSec, , , speaker] = line.trim().split(/\s+/);
    if (type !== 'SPEAKER' || recording === undefined || speaker === undefined) continue;
    const start = Math.round(Number(onsetSec) * SAMPLE_RATE_HZ);
    const end = Math.round((Number(onsetSec) + Number(durationSec)) * SAMPLE_RATE_HZ);
    recordings.set(recording, [
      ...(recordings.get(recording) ?? []),
      { speaker, range: { start, end } },
    ]);
  }
  return recordings;
}

export const readRttm = async (path: string): Promise<Map<string, SpeakerTurn[]>> =>
  parseRttm(await readFile(path, 'utf8'));
