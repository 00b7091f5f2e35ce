import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { createLogger } from '../../../core/logger.ts';
import type { JobContext, JobProgress } from '../../../handler/job.ts';
import { type JobAudio, type JobServices, runJob } from '../../../handler/run-job.ts';
import {
  fakeJobServices,
  fakeSegment,
  fakeTranscript,
  stubbornWaveform,
} from '../../fakes/job-services.ts';

const INPUT = { audio_url: 'https://example.com/c4nary.wav', meeting_id: 'meeting_123' };

function harness(overrides: Partial<JobServices> = {}) {
  const lines: string[] = [];
  const progress: JobProgress[] = [];
  const controller = new AbortController();
  const services = fakeJobServices(overrides);
  const logger = createLogger('debug', { write: (line: string) => lines.push(line) });
  const context = {
    signal: controller.signal,
    logger: logger.child({ requestId: 'job-1' }),
    onProgress: (step: JobProgress) => progress.push(step),
  };
  const run = (
    input: unknown,
    jobServices: JobServices = services,
    more: Pick<JobContext, 'onAudio'> = {},
  ) => runJob({ id: 'job-1', input }, jobServices, { ...context, ...more });
  const log = () => lines.map((line) => JSON.parse(line));
  return { lines, progress, controller, services, run, log };
}

const failing = (thrown: unknown) => async (): Promise<never> => {
  throw thrown;
};

test('a job is opened, transcribed and answered', async () => {
  const { run, services } = harness();
  const output = await run({ ...INPUT, language: 'ko', temperature: 0.3 });
  expect(output).toMatchObject({
    meeting_id: 'meeting_123',
    transcript: 'And so my fellow Americans',
    total_segments: 2,
    timings: { vad: 0.012, recognize: 0.25, open_audio: expect.any(Number) },
  });
  expect(services.sources).toEqual([{ kind: 'url', url: INPUT.audio_url }]);
  expect(services.optionsSeen[0]).toMatchObject({
    transcribe: { language: 'ko', temperatures: [0.3] },
  });
});

test.each([
  { language: 'ko' },
  { languages: ['ko', 'Japanese'] },
  { language: 'en', task: 'translate' },
])(
  'what the model of one language cannot do, %j, is refused before audio is opened',
  async (asked) => {
    const { run, services } = harness({ recognizer: { modelName: 'tiny.en', languages: ['en'] } });
    const output = await run({ ...INPUT, ...asked });
    expect(output).toMatchObject({ error: { code: 'LANGUAGE_UNSUPPORTED', retryable: false } });
    expect(services.sources).toEqual([]);
  },
);

test('candidates reach the pipeline as codes, a single one as the language', async () => {
  const { run, services } = harness();
  await run({ ...INPUT, languages: ['Korean', 'zh-TW'] });
  await run({ ...INPUT, languages: ['ja-JP'] });
  expect(services.optionsSeen.map(({ transcribe }) => transcribe)).toMatchObject([
    { language: null, languages: ['ko', 'zh'] },
    { language: 'ja' },
  ]);
});

test.each([
  [{}, null],
  [{ language: 'zh' }, 'simplified'],
  [{ language: 'zh_TW' }, 'traditional'],
  [{ language: 'zh-Hant-HK' }, 'traditional'],
  [{ languages: ['ko', 'zh-TW'] }, 'traditional'],
  [{ language: 'zh-TW', postprocess: { chinese_script: 'keep' } }, 'keep'],
  [{ language: 'zh', postprocess: { chinese_script: 'traditional' } }, 'traditional'],
  [{ language: 'ko' }, null],
])('a job that asks %j has its Chinese in the script %s', async (asked, chineseScript) => {
  const { run, services } = harness();
  await run({ ...INPUT, ...asked });
  expect(services.optionsSeen[0]).toMatchObject({ chineseScript });
});

test('a stage that reports in parts is summed up', async () => {
  const { run } = harness({
    transcribe: async (_waveform, _options, hooks) => {
      hooks.onStage?.('vad', 100);
      hooks.onStage?.('vad', 23);
      return fakeTranscript();
    },
  });
  expect(await run(INPUT)).toMatchObject({ timings: { vad: 0.123 } });
});

test('progress names the stage and never falls', async () => {
  const { run, progress } = harness();
  await run(INPUT);
  expect(progress).toEqual([
    { stage: 'open_audio', fraction: 0 },
    { stage: 'transcribe', fraction: 0.5 },
    { stage: 'transcribe', fraction: 1 },
  ]);
});

test('a bad input is answered without opening anything', async () => {
  const { run, services } = harness();
  expect(await run({ ...INPUT, langauge: 'en' })).toEqual({
    error: { code: 'INPUT_INVALID', message: 'unknown field langauge', retryable: false },
  });
  expect(services.sources).toEqual([]);
});

test('a failure of ours is answered as it is', async () => {
  const error = new SttError('AUDIO_FETCH_TIMEOUT', 'The host sent nothing for 20 s');
  const { run } = harness({ openAudio: failing(error) });
  expect(await run(INPUT)).toEqual({ error: error.toJSON() });
});

test.each([
  ['an error', new Error('c4nary: CUDA error at 0x7f')],
  ['a text', 'c4nary'],
  ['nothing', undefined],
])('a failure nobody foresaw (%s) does not leak', async (_name, thrown) => {
  const { run, lines } = harness({ transcribe: failing(thrown) });
  expect(await run(INPUT)).toEqual({
    error: { code: 'INTERNAL', message: 'Unexpected failure', retryable: false },
  });
  expect(lines.join('')).not.toContain('c4nary');
});

test('a job that was cancelled before it began opens nothing', async () => {
  const { run, controller, services } = harness();
  controller.abort();
  expect(await run(INPUT)).toMatchObject({ error: { code: 'JOB_CANCELLED' } });
  expect(services.sources).toEqual([]);
});

test('a job that is cancelled at work says so, whatever its stage throws', async () => {
  const { run, controller, log } = harness({
    transcribe: async () => {
      controller.abort();
      throw new Error('the decoder was killed');
    },
  });
  expect(await run(INPUT)).toMatchObject({ error: { code: 'JOB_CANCELLED', retryable: false } });
  expect(log()).toMatchObject([{ level: 'INFO', message: 'job cancelled' }]);
});

test('a shutdown is told apart from a cancellation', async () => {
  const { run, controller } = harness({
    transcribe: async (_waveform, _options, _hooks, signal) => {
      controller.abort(new SttError('SHUTTING_DOWN', 'The worker is stopping'));
      signal.throwIfAborted();
      return fakeTranscript();
    },
  });
  expect(await run(INPUT)).toMatchObject({ error: { code: 'SHUTTING_DOWN', retryable: true } });
});

test('the temporary audio is removed after success and after failure', async () => {
  for (const overrides of [{}, { transcribe: failing(new Error('no')) }]) {
    const { run, services } = harness(overrides);
    await run(INPUT);
    expect(services.sources).toHaveLength(1);
    expect(services.openWaveforms()).toBe(0);
  }
});

test('audio that cannot be removed does not cost the result', async () => {
  const { run, services, log } = harness();
  const output = await run(INPUT, { ...services, openAudio: async () => stubbornWaveform() });
  expect(output).toMatchObject({ transcript: 'And so my fellow Americans' });
  expect(log()).toMatchObject([
    { level: 'WARN', message: 'spool left behind' },
    { level: 'INFO', message: 'job completed' },
  ]);
});

test('a job is one line in the log, with units', async () => {
  const { run, log } = harness();
  await run(INPUT);
  expect(log()).toEqual([
    expect.objectContaining({
      level: 'INFO',
      requestId: 'job-1',
      message: 'job completed',
      audioSec: 4,
      elapsedSec: expect.any(Number),
      realTimeFactor: expect.any(Number),
      stagesMs: expect.objectContaining({ vad: 12, recognize: 250 }),
    }),
  ]);
});

test('a failed job is one line with its code and the place of the cause', async () => {
  const { run, log } = harness({ transcribe: failing(new RangeError('c4nary')) });
  await run(INPUT);
  expect(log()).toHaveLength(1);
  expect(log()[0]).toMatchObject({
    level: 'ERROR',
    message: 'job failed',
    err: { code: 'INTERNAL', cause: { type: 'RangeError' } },
  });
});

test('neither speech nor anything of the input is logged', async () => {
  const secret = {
    audio_url: 'https://c4nary.example/c4nary.wav?token=c4nary',
    meeting_id: 'c4nary',
    tenant_id: 'c4nary',
    user_id: 'c4nary',
    initial_prompt: 'c4nary',
    keywords: ['c4nary'],
  };
  const segments = fakeTranscript().segments.map((segment) => ({ ...segment, text: 'c4nary' }));
  const good = harness({ transcribe: async () => fakeTranscript({ segments }) });
  expect(await good.run(secret)).toMatchObject({ transcript: 'c4nary c4nary' });
  const bad = harness();
  await bad.run({ ...secret, language: 'c4nary', task: 'c4nary', 'c4nary c4nary': 'c4nary' });
  const broken = harness({ openAudio: failing(new TypeError('fetch failed: c4nary')) });
  await broken.run(secret);
  for (const { lines } of [good, bad, broken]) {
    expect(lines).toHaveLength(1);
    expect(lines.join('')).not.toContain('c4nary');
  }
});

test('what is asked of the recording reaches the decoder, and its warnings the result', async () => {
  const asked: (JobAudio | undefined)[] = [];
  const audioSec: number[] = [];
  const services = fakeJobServices();
  const warnings = [{ code: 'AUDIO_TRACKS', message: 'several', count: 2 }];
  const { run } = harness();
  const openAudio: JobServices['openAudio'] = async (source, signal, selection) => {
    asked.push(selection);
    const waveform = await services.openAudio(source, signal);
    return Object.assign(waveform, { warnings, channels: [waveform, waveform] });
  };
  const transcribe: JobServices['transcribe'] = async (waveform) => {
    const channelCount = waveform.channels?.length ?? 0;
    const words = [{ text: 'so', range: { start: 0, end: 1 }, confidence: 1, channel: 1 }];
    return fakeTranscript({
      channelCount,
      segments: [fakeSegment(0, 1, 'so', { channel: 1, speaker: 'SPEAKER_01', words })],
    });
  };
  const context = { onAudio: (sec: number) => audioSec.push(sec) };
  const input = { ...INPUT, channels: 'separate', audio_track: 1, max_audio_mb: 1 };
  const output = await run(input, { ...services, openAudio, transcribe }, context);
  expect(asked).toEqual([{ channels: 'separate', audioTrack: 1, maxBytes: 1024 * 1024 }]);
  expect(output).toMatchObject({
    channels: 2,
    warnings,
    audio_duration: 4,
    segments: [{ channel: 1, speaker: 'SPEAKER_01', words: [{ word: 'so', channel: 1 }] }],
  });
  expect(audioSec).toEqual([8]); // Each channel counts.
});
