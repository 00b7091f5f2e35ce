import { clockTime, elementById } from './elements.js';
import { onLanguageChange, textOf } from './page-language.js';

const FRAME_EVENTS = ['play', 'pause', 'seeked', 'ended'];

/** Plays the recording; whoever watches hears where it is. */
export class Player {
  #audio = new Audio();
  #button = elementById('play', HTMLButtonElement);
  #clock = elementById('clock', HTMLElement);
  #slider = elementById('position', HTMLInputElement);
  #onTime;
  #url = '';
  #durationSec = 0;
  #onUnplayable = () => {};

  /** @param {(sec: number) => void} onTime */
  constructor(onTime) {
    this.#onTime = onTime;
    this.#button.addEventListener('click', () => this.#toggle());
    this.#slider.addEventListener('input', () => this.seek(Number(this.#slider.value)));
    for (const name of FRAME_EVENTS) this.#audio.addEventListener(name, () => this.#follow());
    this.#audio.addEventListener('error', () => {
      if (this.#url === '') return;
      this.close();
      this.#onUnplayable();
    });
    onLanguageChange(() => this.#show());
  }

  get isOpen() {
    return this.#url !== '';
  }

  /** @param {Blob} recording @param {() => void} onUnplayable */
  open(recording, onUnplayable) {
    this.close();
    this.#onUnplayable = onUnplayable;
    this.#url = URL.createObjectURL(recording);
    this.#audio.src = this.#url;
    this.#show();
  }

  close() {
    this.#audio.pause();
    if (this.#url !== '') URL.revokeObjectURL(this.#url);
    this.#url = '';
    this.#audio.removeAttribute('src');
    this.#show();
  }

  /** @param {number} sec */
  setDuration(sec) {
    this.#durationSec = sec;
    this.#slider.max = String(Math.floor(sec));
    this.#show();
  }

  /** @param {number} sec */
  seek(sec) {
    if (this.isOpen) this.#audio.currentTime = sec;
  }

  /** @param {number} sec */
  playFrom(sec) {
    this.seek(sec);
    if (this.isOpen) void this.#audio.play().catch(() => undefined);
  }

  #toggle() {
    if (this.#audio.paused) void this.#audio.play().catch(() => undefined);
    else this.#audio.pause();
  }

  #follow() {
    this.#show();
    if (!this.#audio.paused) requestAnimationFrame(() => this.#follow());
  }

  #show() {
    const { currentTime, paused } = this.#audio;
    const [time, total] = [clockTime(currentTime), clockTime(this.#durationSec)];
    const label = textOf(paused ? 'play' : 'pause');
    if (this.#button.textContent !== label) this.#button.textContent = label;
    this.#button.disabled = !this.isOpen;
    this.#clock.textContent = `${time} / ${total}`;
    this.#slider.disabled = !this.isOpen;
    this.#slider.value = String(Math.floor(currentTime));
    this.#slider.setAttribute('aria-valuetext', textOf('positionOf', { time, total }));
    this.#onTime(currentTime);
  }
}
