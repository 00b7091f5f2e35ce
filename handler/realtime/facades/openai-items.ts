import { randomUUID } from 'node:crypto';
import { msToSamples, samplesToSec } from '../../../audio/time.ts';
import { DEFAULT_LIVE_OPTIONS } from '../../../pipeline/realtime/session-state.ts';
import { rounded } from '../../wire-segment.ts';
import type { LiveWireEvent } from '../live-events.ts';
import { type LogProbability, logProbabilitiesOf } from './log-probabilities.ts';

/** Sends an event of OpenAI's protocol. */
export type Emit = (type: string, fields: object) => void;

type Final = Extract<LiveWireEvent, { type: 'transcript_final' }>;
export type SpeechEvent = Exclude<LiveWireEvent, { type: 'transcript_partial' }>;

/** Gives what is heard to the items of a conversation. */
export interface ItemKeeper {
  hear(event: SpeechEvent): void;
  /** What was appended so far, `atSec` of it, is an item. All of it is about to become final. */
  commit(atSec: number): void;
  /** What was appended since the last item will not be one. */
  clear(atSec: number): void;
  /** All that was appended before the oldest unanswered `commit` or `clear` is final. */
  finalized(): void;
}

/** An utterance begins up to this much before its first sound. */
const PAD_SEC = samplesToSec(DEFAULT_LIVE_OPTIONS.endpoint.padSamples + msToSamples(40));

/** Whether an utterance that begins at `startSec` was spoken before `atSec`. */
export const isSpokenBefore = (startSec: number, atSec: number): boolean =>
  startSec < atSec - PAD_SEC;

const PREFIX = 'conversation.item.input_audio_transcription';

/** One item: audio that was committed, or will be, and its transcript. */
export class Item {
  readonly id = `item_${randomUUID().replaceAll('-', '')}`;
  /** Its client does not want to hear of it. */
  isCleared = false;
  hasGap = false;
  #text = '';
  readonly #logProbs: LogProbability[] = [];
  readonly #emit: Emit;

  constructor(emit: Emit) {
    this.#emit = (type, fields) => {
      if (!this.isCleared) emit(type, { ...fields, item_id: this.id });
    };
  }

  emit(type: string, fields: object): void {
    this.#emit(type, fields);
  }

  /** Only final words are deltas: joined, they are the transcript. */
  append({ text, words }: Final): void {
    const delta = this.#text === '' ? text.trimStart() : text;
    if (delta === '') return;
    this.#text += delta;
    const logprobs = logProbabilitiesOf(delta, words);
    this.#logProbs.push(...logprobs);
    this.#emit(`${PREFIX}.delta`, { content_index: 0, delta, logprobs });
  }

  complete(durationSec: number): void {
    const usage = { type: 'duration', seconds: rounded(durationSec, 3) };
    if (this.hasGap && this.#text === '') {
      const error = { type: 'server_error', code: 'transcription_failed', message: FAILED };
      this.#emit(`${PREFIX}.failed`, { content_index: 0, error });
    } else {
      const said = { transcript: this.#text, logprobs: this.#logProbs };
      this.#emit(`${PREFIX}.completed`, { content_index: 0, ...said, usage });
    }
  }
}

const FAILED = 'The audio could not be recognised, after several tries';
