import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAudio } from '../audio/open-audio.ts';
import { msToSamples, secToSamples } from '../audio/time.ts';
import { loadConfig } from '../core/config.ts';

/** What one speaker says, in stretches without a pause. */
export interface VoiceSource {
  readonly name: string;
  readonly stretches: readonly Float32Array[];
}

const FRAME_SAMPLES = msToSamples(20);
/** Below the loud frames of a clean recording nobody speaks. */
const SILENCE_RATIO = 10 ** (-35 / 20);
const LOUD_SHARE = 0.9;
const MIN_PAUSE_FRAMES = 10;
const MIN_STRETCH_SAMPLES = msToSamples(300);
const MIN_VOICE_SAMPLES = secToSamples(3.5);
/** What 10 % slower and faster speech sounds like: other people, as speaker recognisers are taught. */
const SPEEDS = [0.9, 1, 1.1];

/** One voice at three speeds. */
export type SpeakerVoices = readonly VoiceSource[];

/**
 * The named speakers of `audio/world`, in two halves that share nobody: constants are chosen on the
 * first and reported on the second.
 */
export async function readVoices(
  shared: string,
  read = decode,
): Promise<{ readonly tuning: SpeakerVoices[]; readonly testing: SpeakerVoices[] }> {
  const world = join(shared, 'audio/world');
  const [header = '', ...lines] = (await readFile(join(world, 'transcripts.tsv'), 'utf8'))
    .trim()
    .split('\n');
  const columns = header.split('\t');
  const filesOf = new Map<string, string[]>();
  for (const line of lines) {
    const cells = line.split('\t');
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
    if (cell('speaker') === '') continue;
    const speaker = `${cell('language')}-${cell('speaker')}`;
    filesOf.set(speaker, [...(filesOf.get(speaker) ?? []), cell('file')]);
  }
  const voices: SpeakerVoices[] = [];
  for (const [name, files] of [...filesOf].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const stretches: Float32Array[] = [];
    for (const file of files) stretches.push(...spokenStretches(await read(world, file)));
    if (lengthOf(stretches) < MIN_VOICE_SAMPLES) continue;
    voices.push(SPEEDS.map((speed) => atSpeed({ name, stretches }, speed)));
  }
  return {
    tuning: voices.filter((_, index) => index % 2 === 0),
    testing: voices.filter((_, index) => index % 2 === 1),
  };
}

const lengthOf = (stretches: readonly Float32Array[]): number =>
  stretches.reduce((sum, { length }) => sum + length, 0);

async function decode(root: string, path: string): Promise<Float32Array> {
  const limits = { ...loadConfig({}).audio, root };
  const spooled = await openAudio({ kind: 'path', path }, limits, new AbortController().signal);
  const waveform = await spooled.read({ start: 0, end: spooled.sampleCount });
  await spooled.close();
  return waveform;
}

/** Where a clean recording is not silent, each as loud as all others: −26 dB. */
function spokenStretches(waveform: Float32Array): Float32Array[] {
  const levels = Array.from({ length: Math.floor(waveform.length / FRAME_SAMPLES) }, (_, frame) =>
    levelOf(waveform.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES)),
  );
  const loud = levels.toSorted((a, b) => a - b)[Math.floor(LOUD_SHARE * levels.length)] ?? 0;
  const stretches: { start: number; end: number }[] = [];
  for (const [frame, level] of levels.entries()) {
    if (level < loud * SILENCE_RATIO) continue;
    const last = stretches.at(-1);
    if (last && frame - last.end < MIN_PAUSE_FRAMES) last.end = frame + 1;
    else stretches.push({ start: frame, end: frame + 1 });
  }
  const gain = 0.05 / (levelOf(waveform) || 1);
  return stretches
    .map(({ start, end }) => waveform.subarray(start * FRAME_SAMPLES, end * FRAME_SAMPLES))
    .filter(({ length }) => length >= MIN_STRETCH_SAMPLES)
    .map((stretch) => stretch.map((sample) => sample * gain));
}

const levelOf = (waveform: Float32Array): number =>
  Math.sqrt(waveform.reduce((sum, sample) => sum + sample ** 2, 0) / Math.max(1, waveform.length));

/** Pitch and pace together, by linear interpolation. */
function atSpeed({ name, stretches }: VoiceSource, speed: number): VoiceSource {
  if (speed === 1) return { name, stretches };
  const resampled = stretches.map((stretch) =>
    Float32Array.from({ length: Math.floor((stretch.length - 1) / speed) }, (_, index) => {
      const at = Math.floor(index * speed);
      const part = index * speed - at;
      return stretch[at]! * (1 - part) + stretch[at + 1]! * part;
    }),
  );
  return { name: `${name} ${speed}`, stretches: resampled };
}
