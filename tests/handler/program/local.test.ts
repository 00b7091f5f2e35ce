import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countCharacterErrors, countWordErrors, errorRate } from '../../../bench/word-errors.ts';
import type { WireSegment } from '../../../handler/wire-segment.ts';
import { PROJECT_ROOT, startProgram } from '../../fakes/program.ts';
import { sharedPath } from '../../golden/shared-data.ts';

const SAMPLE = join(PROJECT_ROOT, 'samples/meeting-en.wav');
const SAMPLE_BYTES = readFileSync(SAMPLE);
const DEFAULT_MODEL = { WHISPER_MODEL: '' };
const HEADER_BYTES = 44;
const BYTES_PER_SEC = 32_000;
const SCRIPT_LINES = JSON.parse(
  readFileSync(join(PROJECT_ROOT, 'samples/meeting-en.json'), 'utf8'),
) as { readonly start: number; readonly speaker: string; readonly text: string }[];
const SCRIPT = SCRIPT_LINES.map(({ text }) => text).join(' ');

/** Whether everyone has one label, and each segment that of who speaks in its middle. */
function rightSpeakers(segments: readonly WireSegment[]): boolean {
  const pairs = segments.map(({ start, end, speaker }) => {
    const middle = (start + end) / 2;
    const line = SCRIPT_LINES.findLast((each) => each.start <= middle);
    return `${line?.speaker} is ${speaker}`;
  });
  return new Set(pairs).size === 3;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-program-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('npm start prints the transcript of the sample, and nothing else, on stdout', async () => {
  const startedAt = performance.now();
  const env = { ...DEFAULT_MODEL, SPOOL_DIR: folder };
  const { exitCode, stdout } = await startProgram([], { env }).ended;
  const elapsedSec = (performance.now() - startedAt) / 1000;
  const result = JSON.parse(stdout) as Record<string, unknown>;
  const words = errorRate(countWordErrors(SCRIPT, result['transcript'] as string));
  process.stderr.write(
    `sample: word error rate ${(100 * words).toFixed(1)} % in ${elapsedSec.toFixed(1)} s\n`,
  );
  expect(exitCode).toBe(0);
  expect(words).toBeLessThanOrEqual(0.05);
  expect(result).toMatchObject({
    meeting_id: 'meeting_123',
    tenant_id: 'tenant_abc',
    language: 'en',
    model: 'embedded/whisper-base',
    has_diarization: true,
    total_speakers: 3,
    audio_duration: 47.244,
    warnings: [],
  });
  expect(rightSpeakers(result['segments'] as WireSegment[])).toBe(true);
  expect(await readdir(folder)).toEqual([]);
}, 60_000);

const KOREAN = sharedPath('audio/world/ko/picovoice_test_ko.flac');
const koreanMissing = existsSync(KOREAN) ? '' : ' (skipped: no Korean recording in ../shared)';

test.skipIf(koreanMissing)(
  `a Korean recording without any setting becomes Korean${koreanMissing}`,
  async () => {
    const { exitCode, stdout } = await startProgram([KOREAN], { env: DEFAULT_MODEL }).ended;
    const result = JSON.parse(stdout) as Record<string, unknown>;
    const said = '그는 이리저리 피하면서 길 한 옆으로 걸어갔다.';
    const errors = errorRate(countCharacterErrors(said, result['transcript'] as string));
    expect(exitCode).toBe(0);
    expect(result).toMatchObject({ language: 'ko', model: 'embedded/whisper-base', warnings: [] });
    expect(errors).toBeLessThanOrEqual(0.3);
  },
  60_000,
);

test('a file as SRT, written beside its name, and a missing one that does not stop it', async () => {
  const [out, missing] = [join(folder, 'out'), join(folder, 'missing.wav')];
  const start = await writeRecording('start.wav', SAMPLE_BYTES.subarray(HEADER_BYTES), 6);
  const argv = [start, missing, '--language', 'English', '--format', 'srt', '--out', out];
  const { exitCode } = await startProgram(argv).ended;
  expect(exitCode).toBe(2);
  const only = await startProgram(argv.filter((argument) => argument !== missing)).ended;
  expect(only.exitCode).toBe(0);
  const srt = await readFile(join(out, 'start.srt'), 'utf8');
  expect(srt).toMatch(
    /^1\r?\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\r?\n\[SPEAKER_00\]: Good morning everyone/,
  );
}, 60_000);

test('a language that the model does not know names the setting to change', async () => {
  const { exitCode, stdout } = await startProgram([SAMPLE, '--language', 'ko']).ended;
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  expect(exitCode).toBe(1);
  expect(error.code).toBe('LANGUAGE_UNSUPPORTED');
  expect(error.message).toContain('WHISPER_MODEL');
}, 60_000);

test('every mistake in the environment is told before a model is loaded', async () => {
  const env = { DEVICE: 'tpu', MAX_AUDIO_MB: 'many', HF_ENDPOINT: 'nowhere' };
  const { exitCode, stdout, stderr } = await startProgram([], { env }).ended;
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  for (const name of Object.keys(env)) expect(stderr).toContain(name);
  expect(stderr).not.toContain('models loaded');
}, 30_000);

test('silence is an empty transcript, not an error', async () => {
  const silence = await writeRecording('silence.wav', Buffer.alloc(3 * BYTES_PER_SEC), 3);
  const { exitCode, stdout } = await startProgram([silence]).ended;
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ transcript: '', segments: [], confidence: 0 });
}, 30_000);

/** Samples under the sample's header. */
async function writeRecording(name: string, samples: Buffer, seconds: number): Promise<string> {
  const path = join(folder, name);
  const header = Buffer.from(SAMPLE_BYTES.subarray(0, HEADER_BYTES));
  header.writeUInt32LE(seconds * BYTES_PER_SEC, HEADER_BYTES - 4);
  await writeFile(path, Buffer.concat([header, samples.subarray(0, seconds * BYTES_PER_SEC)]));
  return path;
}
