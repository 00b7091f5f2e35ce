import { mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAt } from '../../audio/spool.ts';
import { type SampleRange, secToSamples } from '../../audio/time.ts';
import { floatBytes, floatWaveform, wavHeader } from './float-samples.ts';

/** Audio is kept in files of this length, so that what is not needed any more can be removed. */
const PIECE_SAMPLES = secToSamples(30);
const PIECE_NAME = /^samples-(\d{6})$/;
const BYTES_PER_SAMPLE = Float32Array.BYTES_PER_ELEMENT;

/** The samples of a live session on disk, as float32: appended, read anywhere, forgotten from the front. */
export class SessionAudio {
  readonly #folder: string;
  #sampleCount: number;
  #firstPiece: number;

  private constructor(folder: string, firstPiece: number, sampleCount: number) {
    this.#folder = folder;
    this.#firstPiece = firstPiece;
    this.#sampleCount = sampleCount;
  }

  /** Opens what the folder holds, cut off behind `sampleCount`. */
  static async open(folder: string, sampleCount = 0): Promise<SessionAudio> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const pieces = (await readdir(folder)).flatMap((name) => PIECE_NAME.exec(name)?.[1] ?? []);
    const audio = new SessionAudio(folder, Math.min(...pieces.map(Number), 1e6), sampleCount);
    for (const piece of pieces.map(Number)) await audio.#cutPiece(piece);
    if (pieces.length === 0) audio.#firstPiece = Math.floor(sampleCount / PIECE_SAMPLES);
    return audio;
  }

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** @throws {SttError} DISK_FULL. */
  async append(waveform: Float32Array): Promise<void> {
    for (let done = 0; done < waveform.length; ) {
      const piece = Math.floor(this.#sampleCount / PIECE_SAMPLES);
      const offset = this.#sampleCount - piece * PIECE_SAMPLES;
      const part = waveform.subarray(done, done + PIECE_SAMPLES - offset);
      const file = await open(this.#pathOf(piece), offset === 0 ? 'w' : 'r+', 0o600);
      try {
        await writeAt(file, floatBytes(part), offset * BYTES_PER_SAMPLE);
      } finally {
        await file.close();
      }
      this.#sampleCount += part.length;
      done += part.length;
    }
  }

  /** Silence where nothing was recorded or it has been forgotten. */
  async read({ start, end }: SampleRange): Promise<Float32Array<ArrayBuffer>> {
    const waveform = new Float32Array(end - start);
    const until = Math.min(end, this.#sampleCount);
    for (let at = start; at < until; ) {
      const piece = Math.floor(at / PIECE_SAMPLES);
      const pieceEnd = Math.min(until, (piece + 1) * PIECE_SAMPLES);
      if (piece >= this.#firstPiece) {
        const bytes = Buffer.alloc((pieceEnd - at) * BYTES_PER_SAMPLE);
        const file = await open(this.#pathOf(piece), 'r');
        try {
          await file.read(bytes, 0, bytes.length, (at % PIECE_SAMPLES) * BYTES_PER_SAMPLE);
        } finally {
          await file.close();
        }
        waveform.set(floatWaveform(bytes), at - start);
      }
      at = pieceEnd;
    }
    return waveform;
  }

  /** What lies before `sample` will not be read again. */
  async forgetBefore(sample: number): Promise<void> {
    const needed = Math.floor(Math.min(sample, this.#sampleCount) / PIECE_SAMPLES);
    while (this.#firstPiece < needed) {
      await rm(this.#pathOf(this.#firstPiece), { force: true });
      this.#firstPiece += 1;
    }
  }

  /** All of it as a WAV file, piece by piece. */
  async *asWav(): AsyncGenerator<Uint8Array> {
    yield wavHeader(this.#sampleCount);
    for (let start = 0; start < this.#sampleCount; start += PIECE_SAMPLES) {
      const end = Math.min(this.#sampleCount, start + PIECE_SAMPLES);
      yield floatBytes(await this.read({ start, end }));
    }
  }

  async #cutPiece(piece: number): Promise<void> {
    const samples = Math.max(0, this.#sampleCount - piece * PIECE_SAMPLES);
    const path = this.#pathOf(piece);
    const bytes = Math.min(samples, PIECE_SAMPLES) * BYTES_PER_SAMPLE;
    if (bytes === 0) await rm(path);
    else if ((await stat(path)).size > bytes) await truncate(path, bytes);
  }

  #pathOf(piece: number): string {
    return join(this.#folder, `samples-${String(piece).padStart(6, '0')}`);
  }
}
