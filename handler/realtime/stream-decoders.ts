import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DecodingStream,
  openDecodingStream,
  type StreamContainer,
} from '../../audio/ffmpeg-stream.ts';
import { StreamResampler } from '../../audio/stream-resampler.ts';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import { Persistence } from './delays.ts';
import { floatWaveform } from './float-samples.ts';
import type { LiveHost } from './live-host.ts';
import { pcm16Waveform } from './pcm16.ts';
import type { SessionStream } from './session-stream.ts';
import { DEFAULT_WINDOW_TIMING } from './window-caller.ts';

/** Turns pieces of a client's audio into samples of its session. */
export interface StreamDecoder {
  write(bytes: Buffer, chunkSeq: number): void;
  /** Settles when the session has all that was written. */
  flush(): Promise<void>;
  close(): void;
}

/** Samples as they are. */
export function rawDecoder(
  host: LiveHost,
  encoding: 'pcm16' | 'float32',
  rateHz: number,
): StreamDecoder {
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

/** A piece is acknowledged when it is kept, or else when samples have come of it. */
export function containerDecoder(host: LiveHost, source: Container): StreamDecoder {
  const { kept, onFailure } = source;
  const closed = new AbortController();
  const { patienceMs } = DEFAULT_WINDOW_TIMING;
  const disk = new Persistence(() => undefined, { patienceMs, signal: closed.signal });
  let written = host.chunkSeq;
  let known = kept ? host.sampleCount : 0;
  const onSamples = (bytes: Buffer): void => {
    const waveform = floatWaveform(bytes);
    const fresh = waveform.subarray(known);
    known = Math.max(0, known - waveform.length);
    if (fresh.length > 0) host.hear(fresh, written);
  };
  const stream = openDecodingStream(source, onSamples, onFailure);
  let work: Promise<void> = Promise.resolve();
  const next = (step: () => Promise<void> | void): void => {
    work = work.then(step).catch((thrown: unknown) => {
      if (!closed.signal.aborted) onFailure(SttError.from(thrown));
    });
  };
  if (kept) next(() => replay(kept, stream));
  return {
    write: (bytes, chunkSeq) =>
      next(async () => {
        if (kept) await disk.run(() => kept.append(chunkSeq, bytes));
        written = chunkSeq;
        stream.write(bytes);
      }),
    flush: async () => {
      await work;
      await stream.end();
    },
    close: () => {
      closed.abort(new SttError('JOB_CANCELLED', 'The session was closed'));
      stream.kill();
    },
  };
}

async function replay(kept: SessionStream, stream: DecodingStream): Promise<void> {
  for await (const bytes of kept.pieces()) {
    stream.write(bytes);
    while (stream.waitingBytes > MAX_WAITING_BYTES) await sleep(WAIT_MS);
  }
}
