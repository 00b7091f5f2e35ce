import {
  type Emit,
  Item,
  type ItemKeeper,
  isSpokenBefore,
  type SpeechEvent,
} from './openai-items.ts';

interface Turn {
  readonly item: Item;
  readonly startSec: number;
  endSec: number | null;
}

/** Turn detection: every utterance is an item, committed when it ends. */
export class DetectedTurns implements ItemKeeper {
  readonly #emit: Emit;
  readonly #commit: (item: Item) => void;
  readonly #turns = new Map<number, Turn>();
  #clearedUntilSec = 0;

  /** @param commit tells the client that the audio of an item is complete. */
  constructor(emit: Emit, commit: (item: Item) => void) {
    this.#emit = emit;
    this.#commit = commit;
  }

  hear(event: SpeechEvent): void {
    if (event.type === 'speech_started') this.#begin(event.utterance_id, event.start);
    else if (event.type === 'transcript_gap') this.#markGap(event.end);
    else {
      const turn = this.#turns.get(event.utterance_id);
      if (!turn) return;
      if (event.type === 'speech_ended') this.#end(turn, event.end);
      else {
        turn.item.append(event);
        if (event.speech_final) this.#complete(event.utterance_id, turn);
      }
    }
  }

  /** The utterance is about to end, which commits it. */
  commit(): void {}

  clear(atSec: number): void {
    this.#clearedUntilSec = atSec;
    for (const { item, endSec } of this.#turns.values()) {
      if (endSec === null) item.isCleared = true;
    }
  }

  finalized(): void {}

  #begin(utteranceId: number, startSec: number): void {
    const item = new Item(this.#emit);
    item.isCleared = isSpokenBefore(startSec, this.#clearedUntilSec);
    this.#turns.set(utteranceId, { item, startSec, endSec: null });
    item.emit('input_audio_buffer.speech_started', { audio_start_ms: milliseconds(startSec) });
  }

  #end(turn: Turn, endSec: number): void {
    turn.endSec = endSec;
    turn.item.emit('input_audio_buffer.speech_stopped', { audio_end_ms: milliseconds(endSec) });
    if (!turn.item.isCleared) this.#commit(turn.item);
  }

  #markGap(untilSec: number): void {
    for (const { item, startSec } of this.#turns.values()) {
      if (startSec < untilSec) item.hasGap = true;
    }
  }

  #complete(utteranceId: number, { item, startSec, endSec }: Turn): void {
    this.#turns.delete(utteranceId);
    item.complete((endSec ?? startSec) - startSec);
  }
}

const milliseconds = (sec: number): number => Math.round(sec * 1000);
