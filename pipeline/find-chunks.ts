import type { SampleRange } from '../audio/time.ts';
import type { Waveform } from '../audio/waveform.ts';
import { type ChunkLimits, type SpeechChunk, SpeechChunker } from './chunks.ts';
import type { VoiceActivityModel } from './contracts.ts';
import type { TranscribeHooks, VadOptions } from './options.ts';

export interface FindChunksOptions extends ChunkLimits {
  readonly vad: VadOptions;
  /** Told about the stage `vad` once the whole recording was heard. */
  readonly hooks: TranscribeHooks;
}

/** Windows of the VAD in one piece: 60 s of 512 samples. Bounds memory and the time to an abort. */
const PIECE_WINDOWS = 1875;

/** Chunks of speech in time order, each as soon as it is complete; reads the recording once. */
export async function* findChunks(
  waveform: Waveform,
  model: VoiceActivityModel,
  { vad, hooks, ...limits }: FindChunksOptions,
  signal: AbortSignal,
): AsyncGenerator<SpeechChunk, void, undefined> {
  const chunker = new SpeechChunker(vad, model.windowSamples, limits);
  const stream = model.openStream();
  let elapsedMs = 0;
  let chunkCount = 0;
  for (const piece of piecesOf(waveform.sampleCount, PIECE_WINDOWS * model.windowSamples)) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    const chunks = chunker.push(await stream.push(await waveform.read(piece), signal));
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
