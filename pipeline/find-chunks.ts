import type { SampleRange } from '../audio/time.ts';
import type { Waveform } from '../audio/waveform.ts';
import { type ChunkLimits, type SpeechChunk, SpeechChunker } from './chunks.ts';
import type { VoiceActivityModel } from './contracts.ts';
import type { TranscribeHooks, VadOptions } from './options.ts';
import { tryTwice } from './retry-chunk.ts';

export interface FindChunksOptions extends ChunkLimits {
  readonly vad: VadOptions;
  /** Told of a part in which speech could not be looked for: it is taken for speech throughout. */
  readonly onUnheard: (range: SampleRange) => void;
  /** Told about the stage `vad` once the whole recording was heard. */
  readonly hooks: TranscribeHooks;
}

/** Windows of the VAD in one piece: 60 s of 512 samples. Bounds memory and the time to an abort. */
const PIECE_WINDOWS = 1875;

/**
 * Chunks of speech in time order, each as soon as it is complete; reads the recording once. A piece in
 * which voice activity fails is tried once more; one that fails again is kept as a whole, as long as
 * an earlier one was heard.
 * @throws what voice activity throws if it fails from the start, or is gone for good.
 */
export async function* findChunks(
  waveform: Waveform,
  model: VoiceActivityModel,
  { vad, hooks, onUnheard, ...limits }: FindChunksOptions,
  signal: AbortSignal,
): AsyncGenerator<SpeechChunk, void, undefined> {
  const chunker = new SpeechChunker(vad, model.windowSamples, limits);
  const stream = model.openStream();
  let elapsedMs = 0;
  let chunkCount = 0;
  for (const piece of piecesOf(waveform.sampleCount, PIECE_WINDOWS * model.windowSamples)) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    const samples = await waveform.read(piece);
    const heard = await tryTwice(() => stream.push(samples, signal), signal);
    if ('error' in heard && piece.start === 0) throw heard.error;
    if ('error' in heard) onUnheard(piece);
    const windows = Math.ceil(samples.length / model.windowSamples);
    const probabilities = 'error' in heard ? new Float32Array(windows).fill(1) : heard;
    const chunks = chunker.push(probabilities);
    elapsedMs += performance.now() - startedAt;
    chunkCount += chunks.length;
    yield* chunks;
  }
  const rest = chunker.finish(waveform.sampleCount);
  hooks.onStage?.('vad', elapsedMs, { chunkCount: chunkCount + rest.length });
  yield* rest;
}

function* piecesOf(sampleCount: number, pieceSamples: number): Generator<SampleRange> {
  for (let start = 0; start < sampleCount; start += pieceSamples) {
    yield { start, end: Math.min(start + pieceSamples, sampleCount) };
  }
}
