import { Downloads } from './downloads.js';
import { clockTime, elementById } from './elements.js';
import { languageName, onLanguageChange, textOf } from './page-language.js';
import { Peaks, peaksOf } from './peaks.js';
import { Player } from './player.js';
import { Timeline } from './timeline.js';
import { TranscriptView } from './transcript-view.js';

const END_PX = 100;
const MIN_LIVE_AXIS_SEC = 30;

/** @typedef {import('./service.js').Result} Result */
/** @typedef {import('./service.js').Segment} Segment */

/** A recording and its transcript, as far as they are known. */
export class Stage {
  #section = elementById('result', HTMLElement);
  #summary = elementById('summary', HTMLElement);
  #player = new Player((sec) => this.#follow(sec));
  #timeline = new Timeline((sec) => this.#player.seek(sec));
  #view = new TranscriptView((sec) => this.#player.playFrom(sec));
  #downloads;
  /** @type {Result | null} */
  #result = null;
  /** @type {Segment[]} */
  #segments = [];
  /** @type {Peaks | null} */
  #peaks = null;
  #isUnplayable = false;
  #isLive = false;
  #name = '';

  /** @param {(error: unknown) => void} onError */
  constructor(onError) {
    this.#downloads = new Downloads(onError);
    onLanguageChange(() => this.#summarise());
  }

  /** Forgets what was there before. @param {string} name */
  clear(name) {
    this.#name = name;
    this.#result = null;
    this.#peaks = null;
    this.#segments = [];
    this.#isUnplayable = false;
    this.#isLive = false;
    this.#player.close();
    this.#player.setDuration(0);
    this.#view.setPlayable(false);
    this.#view.show([]);
    this.#downloads.offer(null, name);
    this.#section.hidden = true;
    this.#summarise();
  }

  /** Shows and plays the recording while its transcript is being made. @param {Blob} recording */
  async openRecording(recording) {
    this.#player.open(recording, () => {
      this.#isUnplayable = true;
      this.#view.setPlayable(false);
      this.#summarise();
    });
    this.#view.setPlayable(true);
    const name = this.#name;
    const peaks = this.#peaks ?? (await peaksOf(recording));
    if (peaks === null || name !== this.#name) return;
    this.#peaks = peaks;
    this.#section.hidden = false;
    this.#redraw();
  }

  /** From now on the recording grows. @param {number} rateHz */
  startLive(rateHz) {
    const peaks = new Peaks(rateHz);
    this.#isLive = true;
    this.#peaks = peaks;
    this.#section.hidden = false;
    return (/** @type {Int16Array} */ piece) => {
      peaks.add(piece, 32768);
      this.#redraw();
    };
  }

  /** Whoever reads at the end stays there. @param {Segment[]} segments @param {{ row: number, text: string }} partial */
  showLive(segments, partial) {
    const { documentElement: page } = document;
    const isAtEnd = page.scrollHeight - innerHeight - scrollY < END_PX;
    this.#segments = segments;
    this.#view.grow(segments);
    this.#view.showPartial(partial);
    if (isAtEnd) scrollTo(scrollX, page.scrollHeight);
  }

  /** @param {Result} result */
  showResult(result) {
    this.#result = result;
    this.#isLive = false;
    this.#segments = result.segments;
    this.#section.hidden = false;
    this.#view.show(result.segments);
    this.#downloads.offer(result, this.#name);
    this.#redraw();
    this.#summarise();
  }

  #redraw() {
    const durationSec = this.#result?.audio_duration ?? this.#peaks?.durationSec ?? 0;
    this.#player.setDuration(durationSec);
    // A live recording fills its axis from the left before the axis has to shrink.
    const axisSec = this.#isLive ? Math.max(durationSec, MIN_LIVE_AXIS_SEC) : durationSec;
    const shown = { segments: this.#segments, peaks: this.#peaks };
    this.#timeline.show({ ...shown, durationSec: axisSec });
  }

  /** @param {number} sec */
  #follow(sec) {
    this.#timeline?.moveTo(sec);
    this.#view?.follow(sec);
  }

  #summarise() {
    this.#summary.textContent = this.#result === null ? '' : this.#summaryOf(this.#result);
  }

  /** @param {Result} result */
  #summaryOf({ language, audio_duration, processing_time, segments }) {
    if (segments.length === 0) return textOf('noSpeech');
    const parts = [languageName(language), clockTime(audio_duration)];
    if (processing_time !== undefined) {
      parts.push(textOf('doneIn', { seconds: processing_time.toFixed(1) }));
    }
    if (this.#isUnplayable) parts.push(textOf('notPlayable'));
    return parts.join(' · ');
  }
}
