import { TEXTS } from './texts.js';

/** @typedef {import('./texts.js').PageLanguage} PageLanguage */
/** @typedef {import('./texts.js').TextKey} TextKey */

const STORED = 'stt-page-language';

/** @type {PageLanguage} */
let current = initialLanguage();
/** @type {Set<() => void>} */
const listeners = new Set();

/** What was chosen in this tab, else the first language of the browser that the page knows. */
function initialLanguage() {
  const wanted = [sessionStorage.getItem(STORED) ?? '', ...navigator.languages];
  const found = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS);
  return found === 'ko' ? 'ko' : 'en';
}

export const pageLanguage = () => current;

/** @param {TextKey} key @param {Record<string, string | number>} [values] */
export const textOf = (key, values = {}) =>
  TEXTS[current][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));

/** The name of a language, in the language of the page. @param {string} code */
export function languageName(code) {
  const name = new Intl.DisplayNames([current], { type: 'language', fallback: 'code' }).of(code);
  return name ?? code;
}

/** @param {PageLanguage} language */
export function choosePageLanguage(language) {
  current = language;
  sessionStorage.setItem(STORED, language);
  applyTexts();
  for (const listener of listeners) listener();
}

/** @param {() => void} listener called when the language has changed */
export function onLanguageChange(listener) {
  listeners.add(listener);
}

/** Writes every fixed text of the page. */
export function applyTexts() {
  document.documentElement.lang = current;
  document.title = textOf('title');
  for (const element of elementsWith('text')) {
    element.textContent = textOf(/** @type {TextKey} */ (element.dataset['text']));
  }
  for (const element of elementsWith('label')) {
    element.ariaLabel = textOf(/** @type {TextKey} */ (element.dataset['label']));
  }
  for (const element of elementsWith('language')) {
    element.ariaPressed = String(element.dataset['language'] === current);
  }
}

/** @param {string} name @returns {Iterable<HTMLElement>} */
const elementsWith = (name) => document.querySelectorAll(`[data-${name}]`);
