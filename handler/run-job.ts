import type { AudioSource } from '../audio/open-audio.ts';
import type { SpooledWaveform, Waveform } from '../audio/waveform.ts';
import { SttError, type WireError } from '../core/errors.ts';
import type { SpeechRecognizer } from '../pipeline/contracts.ts';
import { languageBeforeListening } from '../pipeline/languages.ts';
import type { TranscribeHooks } from '../pipeline/options.ts';
import type { RecordingOptions, RecordingTranscript } from '../pipeline/process-recording.ts';
import { audioSourceOf } from './audio-source.ts';
import type { Job, JobContext } from './job.ts';
import { toRecordingOptions } from './recording-options.ts';
import { type JobResult, toJobResult } from './result.ts';
import { parseJobInput } from './schema.ts';
import { assertDecodeCost } from './transcribe-options.ts';
import { mapValues, rounded, toWireSec } from './wire-segment.ts';

/** Everything a job needs, wired once in `handler/main.ts` and faked in tests. */
export interface JobServices {
  /** What recognises the jobs: what it cannot do is refused before any audio is read. */
  readonly recognizer: Pick<SpeechRecognizer, 'modelName' | 'languages'>;
  /** Rows that a window may take by its job's options; see `assertDecodeCost`. */
  readonly maxDecodeCost?: number;
  /** `maxBytes` lowers the limit of the worker. */
  openAudio(source: AudioSource, signal: AbortSignal, maxBytes?: number): Promise<SpooledWaveform>;
  transcribe(
    waveform: Waveform,
    options: RecordingOptions,
    hooks: TranscribeHooks,
    signal: AbortSignal,
  ): Promise<RecordingTranscript>;
}

const MEBIBYTE = 1024 * 1024;

export type JobOutput = JobResult | { readonly error: WireError };

/**
 * Runs one job from its input to its result, and leaves nothing behind. Never throws: a failure is
 * an output with a top-level `error`. `context.logger` is bound to the job; it gets one line.
 */
export async function runJob(
  job: Job,
  services: JobServices,
  context: JobContext,
): Promise<JobOutput> {
  const clock = new JobClock();
  try {
    const result = await transcribeJob(job, services, context, clock);
    context.logger.info(
      { ...clock.fields(result.audio_duration), decodedRows: result.decoded_rows },
      'job completed',
    );
    return result;
  } catch (thrown) {
    const error = errorOf(thrown, context.signal);
    if (error.code === 'JOB_CANCELLED') context.logger.info(clock.fields(), 'job cancelled');
    else context.logger.error({ ...clock.fields(), err: error }, 'job failed');
    return { error: error.toJSON() };
  }
}

async function transcribeJob(
  job: Job,
  services: JobServices,
  context: JobContext,
  clock: JobClock,
): Promise<JobResult> {
  const { signal, logger } = context;
  const input = parseJobInput(job.input);
  const options = toRecordingOptions(input);
  languageBeforeListening(options.transcribe, services.recognizer);
  assertDecodeCost(options.transcribe, services.maxDecodeCost ?? Number.POSITIVE_INFINITY);
  signal.throwIfAborted();
  context.onProgress({ stage: 'open_audio', fraction: 0 });
  const openedAt = performance.now();
  const { max_audio_mb: maxMb } = input;
  const maxBytes = maxMb === null ? undefined : Math.floor(maxMb * MEBIBYTE);
  const waveform = await services.openAudio(audioSourceOf(input), signal, maxBytes);
  clock.add('open_audio', performance.now() - openedAt);
  try {
    context.onAudio?.(toWireSec(waveform.sampleCount));
    const hooks: TranscribeHooks = {
      onProgress: (fraction) => context.onProgress({ stage: 'transcribe', fraction }),
      onStage: (stage, elapsedMs) => clock.add(stage, elapsedMs),
    };
    const transcript = await services.transcribe(waveform, options, hooks, signal);
    const warnings = [...waveform.warnings, ...transcript.warnings];
    return toJobResult({ ...transcript, warnings }, input, clock.elapsed());
  } finally {
    await waveform.close().catch((err: unknown) => logger.warn({ err }, 'spool left behind'));
  }
}

/** What an aborted stage throws may be anything (a killed decoder): then the abort is the reason. */
function errorOf(thrown: unknown, signal: AbortSignal): SttError {
  if (thrown instanceof SttError || !signal.aborted) return SttError.from(thrown);
  if (signal.reason instanceof SttError) return signal.reason;
  return new SttError('JOB_CANCELLED', 'The job was cancelled', { cause: thrown });
}

/** Time since the job began, and by stage. */
class JobClock {
  readonly #startedAt = performance.now();
  readonly #stagesMs: Record<string, number> = {};

  add(stage: string, elapsedMs: number): void {
    this.#stagesMs[stage] = (this.#stagesMs[stage] ?? 0) + elapsedMs;
  }

  elapsed() {
    return { totalMs: performance.now() - this.#startedAt, stagesMs: this.#stagesMs };
  }

  /** For the log; the audio's length is unknown when it could not be opened. */
  fields(audioSec?: number) {
    const elapsedSec = (performance.now() - this.#startedAt) / 1000;
    return {
      ...(audioSec !== undefined && { audioSec, realTimeFactor: rounded(elapsedSec / audioSec) }),
      elapsedSec: rounded(elapsedSec, 3),
      stagesMs: mapValues(this.#stagesMs, Math.round),
    };
  }
}
