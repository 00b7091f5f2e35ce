import { samplesToSec, secToSamples } from '../../audio/time.ts';
import { SttError, type WireError } from '../../core/errors.ts';
import type { LiveWindow } from '../../pipeline/realtime/recognize-window.ts';
import type { WindowResult } from '../../pipeline/realtime/session-state.ts';
import type { Job, JobContext } from '../job.ts';
import type { JobServices } from '../run-job.ts';
import { rounded } from '../wire-segment.ts';
import { pcm16Waveform } from './pcm16.ts';
import { type StreamResult, toStreamResult } from './stream-result.ts';
import { parseStreamInput, type StreamInput } from './stream-schema.ts';

/** What a stream job needs, wired in `handler/main.ts`. */
export interface StreamServices extends Pick<JobServices, 'openAudio'> {
  readonly modelName: string;
  readonly maxWindowSamples: number;
  recognizeWindow(window: LiveWindow, signal: AbortSignal): Promise<WindowResult>;
}

export type StreamOutput = StreamResult | { readonly error: WireError };

/**
 * Recognises one window of a live session. Keeps nothing: the same job may be run again, by any
 * worker, with the same answer. Before it runs, a newer window of the session takes its place, unless
 * it is a final one. Never throws: a failure is an output with a top-level `error`.
 */
export async function runStreamJob(
  job: Job,
  services: StreamServices,
  { signal, logger }: JobContext,
): Promise<StreamOutput> {
  const startedAt = performance.now();
  const elapsedSec = (): number => rounded((performance.now() - startedAt) / 1000, 3);
  try {
    const input = parseStreamInput(job.input);
    const waveform = await waveformOf(input, services, signal);
    const result = await services.recognizeWindow(toWindow(input, waveform), signal);
    const audioSec = rounded(samplesToSec(waveform.length), 3);
    logger.info({ audioSec, elapsedSec: elapsedSec(), isLast: input.final }, 'window recognised');
    return toStreamResult(input, result, {
      audio_duration: audioSec,
      processing_time: elapsedSec(),
      model: services.modelName,
    });
  } catch (thrown) {
    const error = signal.aborted ? cancelled(signal) : SttError.from(thrown);
    const fields = { elapsedSec: elapsedSec(), err: error };
    if (error.code === 'JOB_CANCELLED') logger.info(fields, 'window superseded');
    else logger.error(fields, 'window failed');
    return { error: error.toJSON() };
  }
}

const cancelled = ({ reason }: AbortSignal): SttError =>
  reason instanceof SttError ? reason : new SttError('JOB_CANCELLED', 'The job was cancelled');

async function waveformOf(
  { audio_base64, audio_encoding }: StreamInput,
  services: StreamServices,
  signal: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const max = services.maxWindowSamples;
  const isTooLong = (samples: number): SttError =>
    new SttError('AUDIO_TOO_LONG', `A window of ${samples} samples, at most ${max} are allowed`);
  if (audio_encoding === 'pcm16') {
    const waveform = pcm16Waveform(Buffer.from(audio_base64, 'base64'));
    if (waveform.length > max) throw isTooLong(waveform.length);
    return waveform;
  }
  const audio = await services.openAudio({ kind: 'base64', data: audio_base64 }, signal);
  try {
    if (audio.sampleCount > max) throw isTooLong(audio.sampleCount);
    return await audio.read({ start: 0, end: audio.sampleCount });
  } finally {
    await audio.close();
  }
}

function toWindow(input: StreamInput, waveform: Float32Array<ArrayBuffer>): LiveWindow {
  const { session_id, tenant_id: tenant, final: isLast, prompt, diarize } = input;
  const urgent = { priority: 'realtime', tenant } as const;
  return {
    waveform,
    start: secToSamples(input.window_start),
    language: input.language?.code ?? null,
    languages: input.languages.map(({ code }) => code),
    prompt,
    isLast,
    diarize,
    scheduling: isLast ? urgent : { ...urgent, replaces: session_id },
  };
}
