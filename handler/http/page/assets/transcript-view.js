import { clockTime, elementById, make } from './elements.js';
import { onLanguageChange, textOf } from './page-language.js';
import { speakerName, speakersOf } from './speakers.js';

/** @typedef {import('./service.js').Segment} Segment */
/** @typedef {import('./service.js').Word} Word */

/** The segments as text: each word can be clicked, or reached with the arrow keys. */
export class TranscriptView {
  #list = elementById('transcript', HTMLOListElement);
  #legend = elementById('legend', HTMLUListElement);
  #onPlay;
  /** @type {Segment[]} */
  #segments = [];
  /** Sought when they are first needed. @type {HTMLElement[] | null} */
  #found = null;
  /** @type {HTMLElement | undefined} */
  #current;
  /** @type {HTMLElement | undefined} */
  #partial;

  /** @param {(sec: number) => void} onPlay */
  constructor(onPlay) {
    this.#onPlay = onPlay;
    this.#list.addEventListener('click', ({ target }) => this.#play(target));
    this.#list.addEventListener('keydown', (event) => this.#walk(event));
    onLanguageChange(() => this.show(this.#segments));
  }

  /** @param {boolean} isPlayable */
  setPlayable(isPlayable) {
    this.#list.classList.toggle('playable', isPlayable);
  }

  /** @param {Segment[]} segments */
  show(segments) {
    this.#segments = segments;
    const speakers = speakersOf(segments);
    const colours = coloursOf(speakers);
    this.#list.classList.toggle('one-voice', speakers.length === 0);
    this.#list.replaceChildren(...segments.map((segment) => rowOf(segment, colours)));
    this.#forgetWords();
    this.#showLegend(speakers);
  }

  /** Some segments have more words, or new ones have begun: the rest is left as it is. @param {Segment[]} segments */
  grow(segments) {
    const speakers = speakersOf(segments);
    const colours = coloursOf(speakers);
    this.#list.classList.toggle('one-voice', speakers.length === 0);
    const shown = this.#segments;
    this.#segments = segments;
    for (const [index, segment] of segments.entries()) {
      const before = this.#list.children[index];
      const isShown = segment === shown[index] && colourOf(before) === colours.get(segment.speaker);
      if (isShown) continue;
      const row = rowOf(segment, colours);
      if (before) before.replaceWith(row);
      else this.#list.append(row);
    }
    this.#forgetWords();
    this.#showLegend(speakers);
  }

  /** Who speaks how long. @param {ReturnType<typeof speakersOf>} speakers */
  #showLegend(speakers) {
    this.#legend.replaceChildren(
      ...speakers.map(({ id, sec, colour }) => {
        const entry = make('li', '', `${speakerName(id)} · ${clockTime(sec)}`);
        entry.dataset['speaker'] = String(colour);
        return entry;
      }),
    );
  }

  /** Words of a row that may still change, behind its others. @param {{ row: number, text: string }} partial */
  showPartial({ row, text }) {
    this.#partial?.remove();
    this.#partial = text === '' ? undefined : make('span', 'partial', ` ${text}`);
    if (this.#partial) this.#list.children[row]?.querySelector('p')?.append(this.#partial);
  }

  /** Marks the word that is heard. @param {number} sec */
  follow(sec) {
    const found = this.#words.findLast((word) => Number(word.dataset['start']) <= sec);
    const isHeard = sec > 0 && found !== undefined && Number(found.dataset['end']) + 0.3 > sec;
    const heard = isHeard ? found : undefined;
    if (heard === this.#current) return;
    this.#current?.classList.remove('current');
    heard?.classList.add('current');
    this.#current = heard;
  }

  get #words() {
    this.#found ??= [...this.#list.querySelectorAll('.word')].filter(
      (word) => word instanceof HTMLElement,
    );
    return this.#found;
  }

  #forgetWords() {
    this.#found = null;
    this.#current = undefined;
  }

  /** @param {EventTarget | null} target */
  #play(target) {
    if (!(target instanceof HTMLElement) || target.dataset['start'] === undefined) return;
    this.#onPlay(Number(target.dataset['start']));
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const { target, key } = event;
    if (!(target instanceof HTMLElement)) return;
    const isWord = target.classList.contains('word');
    if (isWord && (key === 'Enter' || key === ' ')) {
      event.preventDefault();
      return this.#play(target);
    }
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const first = target.closest('li')?.querySelector('.word');
    const next = isWord ? this.#words[this.#words.indexOf(target) + step] : step > 0 ? first : null;
    if (next instanceof HTMLElement) focusOn(next);
  }
}

/** Only the word with the focus is a button: a reader would announce every one of them. @param {HTMLElement} word */
function focusOn(word) {
  word.tabIndex = -1;
  word.setAttribute('role', 'button');
  word.addEventListener('blur', () => word.removeAttribute('role'), { once: true });
  word.focus();
}

/** @param {ReturnType<typeof speakersOf>} speakers @returns {Map<string | undefined, string>} */
const coloursOf = (speakers) => new Map(speakers.map(({ id, colour }) => [id, String(colour)]));

/** @param {Element | undefined} row */
const colourOf = (row) => (row instanceof HTMLElement ? row.dataset['speaker'] : undefined);

/** @param {Segment} segment @param {ReturnType<typeof coloursOf>} colours */
function rowOf(segment, colours) {
  const { start, speaker, text, words } = segment;
  const row = make('li', '');
  const time = make('button', 'time', clockTime(start));
  time.type = 'button';
  time.dataset['start'] = String(start);
  time.ariaLabel = textOf('playFrom', { time: clockTime(start) });
  const line = make('p', '');
  if (words === undefined || words.length === 0) line.textContent = text;
  else line.append(...wordsOf(text, words));
  const name = make('span', 'speaker', speaker === undefined ? '' : speakerName(speaker));
  if (speaker !== undefined) row.dataset['speaker'] = colours.get(speaker) ?? '0';
  row.append(time, name, line);
  return row;
}

/** The text with its words marked: spaces and punctuation between them stay. @param {string} text @param {Word[]} words */
function wordsOf(text, words) {
  /** @type {(string | HTMLElement)[]} */
  const nodes = [];
  let at = 0;
  for (const { word, start, end } of words) {
    const found = text.indexOf(word, at);
    if (found > at) nodes.push(text.slice(at, found));
    else if (found < 0 && at > 0) nodes.push(' ');
    const element = make('span', 'word', word);
    element.dataset['start'] = String(start);
    element.dataset['end'] = String(end);
    nodes.push(element);
    if (found >= 0) at = found + word.length;
  }
  nodes.push(text.slice(at));
  return nodes;
}
