import { samplesToSec } from '../../audio/time.ts';
import type { SessionWindow, WindowRecognizer } from './contracts.ts';
import { pcm16Bytes } from './pcm16.ts';
import { fromStreamResult } from './stream-result.ts';

/** Runs a job's input on some worker and gives its output. */
export type RunStreamJob = (
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
) => Promise<unknown>;

/** Windows as stream jobs: any worker of a pool may answer. */
export const remoteWindows = (runJob: RunStreamJob): WindowRecognizer => ({
  recognize: async (window, signal) => fromStreamResult(await runJob(streamInput(window), signal)),
});

/** The job of a window; times travel in seconds with enough digits to name a sample. */
const streamInput = (window: SessionWindow): Record<string, unknown> => ({
  task: 'stream',
  session_id: window.sessionId,
  epoch: window.epoch,
  seq: window.seq,
  audio_base64: pcm16Bytes(window.waveform).toString('base64'),
  audio_encoding: 'pcm16',
  window_start: samplesToSec(window.start),
  language: window.language,
  ...(window.languages?.length && { languages: window.languages }),
  prompt: window.prompt,
  final: window.isLast,
  ...(window.diarize && { diarize: true }),
  ...(window.tenant !== null && { tenant_id: window.tenant }),
});
