import { elementById } from './elements.js';
import { errorText } from './error-texts.js';
import { onLanguageChange, pageLanguage, textOf } from './page-language.js';
import { ServiceError } from './service.js';

/** @typedef {import('./texts.js').TextKey} TextKey */
/** @typedef {{ text: TextKey, time?: string, fraction?: number }} Work `text` is announced, the rest is seen */

const problem = elementById('problem', HTMLElement);
const problemText = elementById('problem-text', HTMLElement);
const problemCode = elementById('problem-code', HTMLElement);
const panel = elementById('work', HTMLElement);
const workText = elementById('work-text', HTMLElement);
const workDetail = elementById('work-detail', HTMLElement);
const workBar = elementById('work-bar', HTMLProgressElement);
const stop = elementById('stop', HTMLButtonElement);

/** @type {string | null} */
let failedCode = null;
/** @type {Work | null} */
let work = null;
let isLive = false;

/** @param {unknown} error */
export function showProblem(error) {
  failedCode = error instanceof ServiceError ? error.code : 'INTERNAL';
  showNotices();
}

export function clearProblem() {
  failedCode = null;
  showNotices();
}

/** What is going on; null when nothing is. @param {Work | null} now @param {boolean} [live] */
export function showWork(now, live = false) {
  work = now;
  isLive = live;
  showNotices();
}

function showNotices() {
  problem.hidden = failedCode === null;
  if (failedCode !== null) {
    problemText.textContent = errorText(pageLanguage(), failedCode);
    problemCode.textContent = textOf('code', { code: failedCode });
  }
  document.body.classList.toggle('live', isLive);
  panel.hidden = work === null;
  if (work === null) return;
  const text = textOf(work.text);
  if (workText.textContent !== text) workText.textContent = text;
  workDetail.textContent = work.time ?? percentOf(work.fraction);
  workBar.hidden = isLive;
  if (work.fraction === undefined) workBar.removeAttribute('value');
  else workBar.value = work.fraction;
  stop.textContent = textOf(isLive ? 'stop' : 'cancel');
}

/** @param {number | undefined} fraction */
const percentOf = (fraction) =>
  fraction === undefined
    ? ''
    : new Intl.NumberFormat(pageLanguage(), { style: 'percent' }).format(fraction);

onLanguageChange(showNotices);
