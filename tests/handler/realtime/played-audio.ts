import { setTimeout as pause } from 'node:timers/promises';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import type { WindowRecognizer } from '../../../handler/realtime/contracts.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';

const SPEED = 8;

/** Half a second each. */
export function pieces(waveform: Float32Array, rateHz = SAMPLE_RATE_HZ): Buffer[] {
  const count = Math.ceil((2 * waveform.length) / rateHz);
  return Array.from({ length: count }, (_, piece) =>
    pcm16Bytes(waveform.slice((piece * rateHz) / 2, ((piece + 1) * rateHz) / 2)),
  );
}

/** Plays at a speed at which the engine keeps up, also on a busy machine: else all is final at once. */
export class Pace {
  readonly #underWay = new Set<Promise<unknown>>();

  watched({ recognize }: WindowRecognizer): WindowRecognizer {
    return {
      recognize: async (window, signal) => {
        const answer = recognize(window, signal);
        this.#underWay.add(answer);
        return await answer.finally(() => this.#underWay.delete(answer));
      },
    };
  }

  async play(audio: readonly Buffer[], send: (piece: Buffer) => void): Promise<void> {
    for (const [index, piece] of audio.entries()) {
      send(piece);
      await pause(500 / SPEED);
      if (index % 4 === 3) await Promise.allSettled(this.#underWay);
    }
  }
}

/** Good enough for speech: a line between each two samples. */
export const at24kHz = (waveform: Float32Array): Float32Array =>
  Float32Array.from({ length: Math.floor(waveform.length * 1.5) - 2 }, (_, sample) => {
    const place = sample / 1.5;
    const [before, part] = [Math.floor(place), place % 1];
    return waveform[before]! * (1 - part) + waveform[before + 1]! * part;
  });
