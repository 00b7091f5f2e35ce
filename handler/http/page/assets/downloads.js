import { elementById, make } from './elements.js';
import { formatTranscript } from './service.js';

/** @typedef {import('./service.js').Result} Result */

const FORMATS = ['text', 'srt', 'vtt', 'tsv', 'rttm', 'ctm', 'json'];

/** A button for each format of the transcript. */
export class Downloads {
  #box = elementById('downloads', HTMLElement);
  /** @type {Result | null} */
  #result = null;
  #name = '';

  /** @param {(error: unknown) => void} onError */
  constructor(onError) {
    for (const format of FORMATS) {
      const label = format === 'text' ? 'TXT' : format.toUpperCase();
      const button = make('button', '', label);
      button.type = 'button';
      button.dataset['format'] = format;
      button.addEventListener('click', () => this.#download(format).catch(onError));
      this.#box.append(button);
    }
  }

  /** Null while there is nothing to download. @param {Result | null} result @param {string} name of the recording */
  offer(result, name) {
    this.#result = result;
    this.#name = name.replace(/\.\w{1,5}$/, '') || 'recording';
    this.#box.hidden = result === null || result.segments.length === 0;
    const speakers = result?.segments.some(({ speaker }) => speaker !== undefined) ?? false;
    const rttm = this.#box.querySelector('[data-format="rttm"]');
    if (rttm instanceof HTMLButtonElement) rttm.disabled = !speakers;
  }

  /** @param {string} format */
  async #download(format) {
    if (this.#result === null) return;
    const document_ =
      format === 'json'
        ? new Blob([JSON.stringify(this.#result, null, 2)], { type: 'application/json' })
        : await formatTranscript(this.#result.segments, format, this.#name);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(document_);
    link.download = `${this.#name}.${format === 'text' ? 'txt' : format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
