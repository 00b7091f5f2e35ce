import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DecodingStream,
  openDecodingStream,
  type StreamContainer,
} from '../../audio/ffmpeg-stream.ts';
import { pieceReader } from '../../audio/stream-pieces.ts';
import { StreamResampler } from '../../audio/stream-resampler.ts';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import { Persistence } from './delays.ts';
import { floatWaveform } from './float-samples.ts';
import type { LiveHost } from './live-host.ts';
import { pcm16Waveform } from './pcm16.ts';
import { SampleRateCheck } from './sample-rate-check.ts';
import type { SessionStream } from './session-stream.ts';
import { DEFAULT_WINDOW_TIMING } from './window-caller.ts';

/** Turns pieces of a client's audio into samples of its session. */
export interface StreamDecoder {
  write(bytes: Buffer, chunkSeq: number): void;
  /** Settles when the session has all that was written. */
  flush(): Promise<void>;
  close(): void;
}

interface RawFormat {
  readonly encoding: 'pcm16' | 'float32';
  readonly rateHz: number;
  /** Hears once of samples that have another rate by all appearances. */
  readonly onOtherRate: (rateHz: number) => void;
}

/** Samples as they are. */
export function rawDecoder(
  host: LiveHost,
  { encoding, rateHz, onOtherRate }: RawFormat,
): StreamDecoder {
  const check = rateHz === SAMPLE_RATE_HZ ? new SampleRateCheck() : null;
  const resampler = rateHz === SAMPLE_RATE_HZ ? null : new StreamResampler(rateHz);
  const toWaveform = encoding === 'pcm16' ? pcm16Waveform : floatWaveform;
  const bytesPerSample = encoding === 'pcm16' ? 2 : 4;
  let odd: Buffer = Buffer.alloc(0);
  return {
    write: (piece, chunkSeq) => {
      const bytes = odd.length > 0 ? Buffer.concat([odd, piece]) : piece;
      const whole = bytes.length - (bytes.length % bytesPerSample);
      odd = bytes.subarray(whole);
      const waveform = toWaveform(bytes.subarray(0, whole));
      host.hear(resampler?.push(waveform) ?? waveform, chunkSeq);
      const otherHz = check?.hear(waveform);
      if (otherHz !== undefined) onOtherRate(otherHz);
    },
    flush: async () => {
      if (resampler) host.hear(resampler.flush(), host.heardSeq);
    },
    close: () => undefined,
  };
}

interface Container {
  readonly ffmpegPath: string;
  readonly container: StreamContainer;
  /** Where its pieces are kept, those of an earlier process included. */
  readonly kept: SessionStream | undefined;
  readonly onFailure: (error: SttError) => void;
}

/** Bytes that may wait for ffmpeg while a kept stream is decoded again. */
const MAX_WAITING_BYTES = 1024 * 1024;
const WAIT_MS = 5;

/** Pieces of which samples should have come, and bytes that hold some. */
const MAX_MUTE_MS = 15_000;
const MIN_MUTE_PIECES = 3;
const MIN_BYTES = 4096;

/**
 * A piece is acknowledged when it is kept, or else when samples have come of it. A stream of which
 * none come is refused; pieces that each have a header are decoded one after the other.
 */
export function containerDecoder(host: LiveHost, source: Container): StreamDecoder {
  const { kept } = source;
  const opened = { atMs: performance.now(), pieces: 0, bytes: 0, hasSamples: false };
  const onFailure = (error: SttError): void => {
    const isMute = error.code === 'AUDIO_UNDECODABLE' && !opened.hasSamples;
    source.onFailure(isMute ? mute() : error);
  };
  const closed = new AbortController();
  const { patienceMs } = DEFAULT_WINDOW_TIMING;
  const disk = new Persistence(() => undefined, { patienceMs, signal: closed.signal });
  let written = host.chunkSeq;
  let known = kept ? host.sampleCount : 0;
  const onSamples = (bytes: Buffer): void => {
    opened.hasSamples ||= bytes.length > 0;
    const waveform = floatWaveform(bytes);
    const fresh = waveform.subarray(known);
    known = Math.max(0, known - waveform.length);
    if (fresh.length > 0) host.hear(fresh, written);
  };
  const open = (): DecodingStream => openDecodingStream(source, onSamples, onFailure);
  let stream = open();
  let hasBegun = false;
  const read = pieceReader(source.container);
  const put = async (piece: Buffer): Promise<void> => {
    const { bytes, isNew } = read(piece);
    if (isNew && hasBegun) {
      await stream.end();
      if (!closed.signal.aborted) stream = open();
    }
    hasBegun ||= isNew;
    if (bytes.length > 0) stream.write(bytes);
  };
  let work: Promise<void> = Promise.resolve();
  const next = (step: () => Promise<void> | void): void => {
    work = work.then(step).catch((thrown: unknown) => {
      if (!closed.signal.aborted) onFailure(SttError.from(thrown));
    });
  };
  if (kept) {
    next(async () => {
      for await (const bytes of kept.pieces()) {
        await put(bytes);
        while (stream.waitingBytes > MAX_WAITING_BYTES) await sleep(WAIT_MS);
      }
    });
  }
  return {
    write: (bytes, chunkSeq) =>
      next(async () => {
        if (kept) await disk.run(() => kept.append(chunkSeq, bytes));
        written = chunkSeq;
        opened.pieces += 1;
        opened.bytes += bytes.length;
        await put(bytes);
        const isLate = performance.now() - opened.atMs > MAX_MUTE_MS;
        if (isLate && opened.pieces >= MIN_MUTE_PIECES && !opened.hasSamples) throw mute();
      }),
    flush: async () => {
      await work;
      await stream.end();
      if (opened.bytes >= MIN_BYTES && !opened.hasSamples) onFailure(mute());
    },
    close: () => {
      closed.abort(new SttError('JOB_CANCELLED', 'The session was closed'));
      stream.kill();
    },
  };
}

const mute = (): SttError =>
  new SttError('AUDIO_UNSUPPORTED', 'No sound comes of the stream: its codec is not decoded here');
