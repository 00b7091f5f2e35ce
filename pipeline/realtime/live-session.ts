import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { agree, emptyAgreement, type LiveWord, trimmed } from './agreement.ts';
import { type EndpointEvent, endSpeech, hear } from './endpointing.ts';
import { whoSpeaks } from './live-speakers.ts';
import { judgeLanguage } from './session-language.ts';
import {
  DEFAULT_LIVE_OPTIONS,
  type LiveEvent,
  type LiveInput,
  type LiveOptions,
  type LiveState,
  type Pause,
  type WindowRequest,
  type WindowResult,
} from './session-state.ts';
import { settleUtterances } from './settled-utterances.ts';
import { isCutAt, planWindow } from './window-plan.ts';

export interface LiveStep {
  readonly state: LiveState;
  readonly events: readonly LiveEvent[];
  /** A window to recognise now; never while another one is under way. */
  readonly request: WindowRequest | null;
}

/**
 * The policy of live captions as a pure function: no clock, no audio, no network. Guarantees, for
 * inputs in any order, repeated or missing: final words are sent once, in time order, and never
 * change; all that was heard as speech is in a window marked `isLast`, or reported as a `gap`.
 *
 * One window is under way at a time and the next one covers all audio since: slow workers make
 * windows rarer, not queues longer.
 */
export function stepLiveSession(
  before: LiveState,
  input: LiveInput,
  options: LiveOptions = DEFAULT_LIVE_OPTIONS,
): LiveStep {
  const step = new Step(before, options);
  step.take(input);
  return step.finish();
}

class Step {
  #state: LiveState;
  readonly #options: LiveOptions;
  readonly #events: LiveEvent[] = [];

  constructor(before: LiveState, options: LiveOptions) {
    this.#state = before;
    this.#options = options;
  }

  take(input: LiveInput): void {
    switch (input.type) {
      case 'audio':
        for (const probability of input.probabilities) this.#hear(probability, input.frameSamples);
        return;
      case 'result':
        this.#apply(input.seq, input.result);
        return;
      case 'failed':
        if (this.#state.inFlight?.seq === input.seq)
          this.#change({ inFlight: null, askedUntil: 0 });
        return;
      case 'given-up':
        this.#giveUp(input.seq);
        return;
      case 'finalize':
        this.#closeUtterance();
        return;
      case 'end':
        this.#closeUtterance();
        this.#change({ isEnding: true });
    }
  }

  finish(): LiveStep {
    const request = planWindow(this.#state, this.#options);
    if (request) {
      this.#change({
        inFlight: request,
        nextSeq: request.seq + 1,
        askedUntil: request.end,
      });
    }
    const { isEnding, isEnded, utterances, inFlight } = this.#state;
    if (isEnding && !isEnded && utterances.length === 0 && inFlight === null) {
      this.#change({ isEnded: true });
      this.#events.push({ type: 'ended' });
    }
    return { state: this.#state, events: this.#events, request };
  }

  #change(changes: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...changes };
  }

  #hear(probability: number, frameSamples: number): void {
    const { state, events } = hear(
      this.#state.endpoint,
      { probability, frameSamples },
      this.#options.endpoint,
    );
    const pause = { at: state.heard - frameSamples, probability };
    this.#change({ endpoint: state, pauses: this.#pausesWith(pause) });
    this.#tell(events);
  }

  #pausesWith(pause: Pause): readonly Pause[] {
    const { pauses, windowStart } = this.#state;
    const second = ({ at }: Pause): number => Math.floor(at / SAMPLE_RATE_HZ);
    const last = pauses.at(-1);
    if (last && second(last) === second(pause)) {
      return pause.probability < last.probability ? [...pauses.slice(0, -1), pause] : pauses;
    }
    return [...pauses.filter(({ at }) => at >= windowStart), pause];
  }

  #closeUtterance(): void {
    const { state, events } = endSpeech(this.#state.endpoint, this.#options.endpoint);
    this.#change({ endpoint: state });
    this.#tell(events);
  }

  #tell(events: readonly EndpointEvent[]): void {
    for (const { type, at } of events) {
      if (type === 'speech-start') this.#open(at);
      else this.#close(at);
    }
  }

  #open(at: number): void {
    const { utterances, nextUtteranceId: id } = this.#state;
    if (utterances.length === 0) this.#beginWindow(at);
    this.#change({
      utterances: [...utterances, { id, start: at, end: null }],
      nextUtteranceId: id + 1,
    });
    this.#events.push({ type: 'speech-start', utteranceId: id, at });
  }

  #close(at: number): void {
    const { utterances } = this.#state;
    const open = utterances.at(-1)!;
    this.#change({ utterances: [...utterances.slice(0, -1), { ...open, end: at }] });
    this.#events.push({ type: 'speech-end', utteranceId: open.id, at });
  }

  /** What is final before `start` is context for what comes. */
  #beginWindow(start: number): void {
    const { agreement } = this.#state;
    const { promptTail } = trimmed(agreement, Infinity, this.#options.agreement);
    this.#change({
      windowStart: start,
      askedUntil: start,
      agreement: { ...emptyAgreement(start), promptTail },
    });
  }

  #apply(seq: number, result: WindowResult): void {
    const { inFlight, agreement: before } = this.#state;
    if (inFlight?.seq !== seq) return;
    const inside = this.#wholeWords(result.words, inFlight);
    const heard = { words: inside, windowEnd: inFlight.end, isLast: inFlight.isLast };
    const { agreement, finals: agreed } = agree(before, heard, this.#options.agreement);
    this.#change({ agreement, inFlight: null });
    const finals = this.#labelled(agreed, inFlight, result);
    const heardLanguage = { finals, result };
    this.#change(judgeLanguage(this.#state, inFlight, heardLanguage, this.#options) ?? {});
    const { language } = result;
    if (inFlight.isLast) {
      this.#settle(inFlight, finals, language);
      return;
    }
    const { utteranceId } = inFlight;
    if (finals.length > 0) {
      const final = { utteranceId, words: finals, endsUtterance: false, language };
      this.#events.push({ type: 'final', ...final });
    }
    this.#events.push({ type: 'partial', utteranceId, words: agreement.pendingWords });
    this.#trim();
  }

  /** Who says what became final, by the voice at the window's end: of its last utterance only. */
  #labelled(
    words: readonly LiveWord[],
    { end, isLast }: WindowRequest,
    { voice }: WindowResult,
  ): readonly LiveWord[] {
    const { speakers: before, utterances } = this.#state;
    if (!before || !voice || words.length === 0) return words;
    const { speakers, speaker } = whoSpeaks(before, voice, isLast);
    this.#change({ speakers });
    if (speaker === null) return words;
    const from = utterances.findLast(({ start }) => start < end)!.start;
    return words.map((word) => (word.range.end > from ? { ...word, speaker } : word));
  }

  /** Where speech was cut, its last words may be half ones: they are left to the next window. */
  #wholeWords(words: readonly LiveWord[], { end, isLast }: WindowRequest): readonly LiveWord[] {
    const inside = words.filter(({ range }) => range.start < end);
    if (!isLast || !isCutAt(this.#state, end)) return inside;
    const limit = end - this.#options.agreement.tailGuardSamples;
    const whole = inside.filter(({ range }) => range.end <= limit);
    return whole.length > 0 ? whole : inside;
  }

  /** The window's words as finals of the utterances that it covers; then on to what is behind it. */
  #settle({ end }: WindowRequest, words: readonly LiveWord[], language: string | null): void {
    const isCut = isCutAt(this.#state, end);
    const { finals, left } = settleUtterances(this.#state.utterances, words, { end, language });
    this.#events.push(...finals);
    this.#change({ utterances: left });
    const lastWordEnd = words.at(-1)?.range.end;
    this.#beginWindow(isCut ? Math.min(end, lastWordEnd ?? end) : (left[0]?.start ?? end));
  }

  #giveUp(seq: number): void {
    const { inFlight, agreement, language } = this.#state;
    if (inFlight?.seq !== seq) return;
    this.#change({ inFlight: null });
    if (!inFlight.isLast) return; // The next window covers it.
    const start = Math.max(inFlight.start, agreement.finalEnd);
    this.#events.push({ type: 'gap', range: { start, end: inFlight.end } });
    this.#settle(inFlight, [], language);
  }

  /** A long window loses what is final, behind the last word that a pause or a mark follows. */
  #trim(): void {
    const { agreement, windowStart, endpoint } = this.#state;
    if (endpoint.heard - windowStart < this.#options.trimSamples) return;
    const last = agreement.finalWords.at(-1);
    if (!last) return;
    const sentence = agreement.finalWords.findLast(({ text }) => /[.!?。！？…]$/u.test(text));
    const start = (sentence ?? last).range.end;
    if (start <= windowStart) return;
    this.#change({
      windowStart: start,
      agreement: trimmed(agreement, start, this.#options.agreement),
    });
  }
}
