import {
  type Emit,
  Item,
  type ItemKeeper,
  isSpokenBefore,
  type SpeechEvent,
} from './openai-items.ts';

interface Stretch {
  readonly item: Item;
  readonly startSec: number;
  readonly endSec: number;
}

/** No turn detection: an item is what the client commits, however many utterances that is. */
export class CommittedTurns implements ItemKeeper {
  readonly #emit: Emit;
  readonly #commit: (item: Item) => void;
  /** Ended, and waiting for the rest of their words. */
  readonly #ended: Stretch[] = [];
  readonly #starts = new Map<number, number>();
  #open: Item;
  #openSinceSec = 0;

  /** @param commit tells the client that the audio of an item is complete. */
  constructor(emit: Emit, commit: (item: Item) => void) {
    this.#emit = emit;
    this.#commit = commit;
    this.#open = new Item(emit);
  }

  hear(event: SpeechEvent): void {
    if (event.type === 'speech_started') this.#starts.set(event.utterance_id, event.start);
    else if (event.type === 'transcript_gap') this.#itemAt(event.start).hasGap = true;
    else if (event.type === 'transcript_final') {
      this.#itemAt(this.#starts.get(event.utterance_id) ?? 0).append(event);
      if (event.speech_final) this.#starts.delete(event.utterance_id);
    }
  }

  commit(atSec: number): void {
    this.#commit(this.#open);
    this.#next(atSec);
  }

  clear(atSec: number): void {
    this.#open.isCleared = true;
    this.#next(atSec);
  }

  finalized(): void {
    const done = this.#ended.shift();
    done?.item.complete(done.endSec - done.startSec);
  }

  #next(atSec: number): void {
    this.#ended.push({ item: this.#open, startSec: this.#openSinceSec, endSec: atSec });
    this.#open = new Item(this.#emit);
    this.#openSinceSec = atSec;
  }

  #itemAt(startSec: number): Item {
    const stretch = this.#ended.find(({ endSec }) => isSpokenBefore(startSec, endSec));
    return stretch?.item ?? this.#open;
  }
}
