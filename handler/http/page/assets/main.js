import { elementById, fillSelect } from './elements.js';
import { listenToKey, openKeyForm } from './key-form.js';
import { LiveSession } from './live-session.js';
import { clearProblem, showProblem, showWork } from './notices.js';
import { applyTexts, choosePageLanguage, textOf } from './page-language.js';
import { apiKey, ServiceError } from './service.js';
import { askStatus, refuseInVain } from './service-facts.js';
import { Stage } from './stage.js';
import { transcribe } from './upload.js';

const MAX_SPEAKERS = 8;

const drop = elementById('drop', HTMLElement);
const file = elementById('file', HTMLInputElement);
const speak = elementById('speak', HTMLButtonElement);
const stop = elementById('stop', HTMLButtonElement);
const language = elementById('language', HTMLSelectElement);
const speakers = elementById('speakers', HTMLSelectElement);
const separate = elementById('separate', HTMLButtonElement);
const play = elementById('play', HTMLButtonElement);
const spoken = elementById('spoken', HTMLElement);

const stage = new Stage(fail);
/** What the Stop button ends; null while nothing runs. @type {(() => void) | null} */
let stopWork = null;

/** @param {unknown} error */
function fail(error) {
  if (error instanceof ServiceError && error.code === 'CANCELLED') return;
  showProblem(error);
  if (error instanceof ServiceError && error.code === 'UNAUTHENTICATED') openKeyForm(true);
}

/** A first visit without a key has done nothing wrong: the form says what is needed. @param {unknown} error */
function failToStart(error) {
  const isKeyNeeded = error instanceof ServiceError && error.code === 'UNAUTHENTICATED';
  if (isKeyNeeded && apiKey() === '') openKeyForm(true, 'keyNeeded');
  else fail(error);
}

/** @param {(() => void) | null} stopIt */
function setBusy(stopIt) {
  stopWork = stopIt;
  for (const control of [file, speak, separate, language, speakers]) {
    control.disabled = stopIt !== null;
  }
}

/** Whoever follows with the keyboard was at the Stop button, which is about to go. @param {HTMLElement} next */
function endWork(next) {
  const wasFollowing = document.activeElement === stop || document.activeElement === document.body;
  showWork(null);
  setBusy(null);
  if (wasFollowing) next.focus();
}

/** @param {Blob} recording @param {string} name @param {boolean} isNew false: the one that is shown */
async function transcribeRecording(recording, name, isNew) {
  if (stopWork !== null) return;
  const abort = new AbortController();
  setBusy(() => abort.abort());
  clearProblem();
  separate.hidden = true;
  if (isNew) {
    document.body.classList.add('started');
    stage.clear(name);
    if (recording.size > 0) void stage.openRecording(recording);
  }
  showWork({ text: 'waiting' });
  stop.focus();
  /** @type {HTMLElement} */
  let next = file;
  try {
    refuseInVain(recording);
    const fields = { language: language.value, num_speakers: speakers.value };
    const result = await transcribe(recording, fields, uploadHooks, abort.signal);
    stage.showResult(result);
    spoken.textContent = textOf('done');
    const isDoubtful = result.warnings?.some(({ code }) => code === 'LANGUAGE_DOUBTFUL');
    if (isDoubtful) showProblem(new ServiceError('LANGUAGE_DOUBTFUL'));
    next = play;
  } catch (error) {
    fail(error);
    if (!isNew) separate.hidden = false;
  }
  endWork(next);
}

const uploadHooks = {
  onSent: (/** @type {number} */ fraction) => {
    if (fraction < 1) showWork({ text: 'uploading', fraction });
    else showWork({ text: 'waiting' });
  },
  onProgress: (/** @type {string} */ stageName, /** @type {number} */ fraction) => {
    if (stageName === 'open_audio') showWork({ text: 'opening' });
    else showWork({ text: 'transcribing', fraction });
  },
};

async function speakLive() {
  if (stopWork !== null) return;
  clearProblem();
  separate.hidden = true;
  document.body.classList.add('started');
  const name = `live-${new Date().toISOString().slice(0, 16).replaceAll(':', '-')}`;
  stage.clear(name);
  const session = new LiveSession(stage, {
    announce: (text) => {
      spoken.textContent = text;
    },
    onEnd: (recording) => {
      endWork(speak);
      separate.hidden = recording === null;
      separate.onclick = () => {
        if (recording) void transcribeRecording(recording, name, false);
      };
    },
  });
  setBusy(() => session.stop());
  stop.focus();
  await session.start(language.value, speakers.value !== '1');
}

function listenToChoices() {
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    if (chosen) void transcribeRecording(chosen, chosen.name, true);
    file.value = '';
  });
  speak.addEventListener('click', () => void speakLive());
  stop.addEventListener('click', () => stopWork?.());
  for (const button of document.querySelectorAll('[data-language]')) {
    button.addEventListener('click', () => choosePageLanguage(languageOf(button)));
  }
}

/** @param {Element} button @returns {'en' | 'ko'} */
const languageOf = (button) => (button.getAttribute('data-language') === 'ko' ? 'ko' : 'en');

/** What is under way would be lost with the page. */
function listenToLeaving() {
  window.addEventListener('beforeunload', (event) => {
    if (stopWork !== null) event.preventDefault();
  });
}

/** A recording may be dropped anywhere. */
function listenToDrops() {
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.classList.remove('over');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped) void transcribeRecording(dropped, dropped.name, true);
  });
}

applyTexts();
fillSelect(
  speakers,
  Array.from({ length: MAX_SPEAKERS }, (_, index) => ({
    value: String(index + 1),
    name: String(index + 1),
  })),
);
listenToChoices();
listenToDrops();
listenToLeaving();
listenToKey(() => {
  clearProblem();
  void askStatus(failToStart);
});
void askStatus(failToStart);
