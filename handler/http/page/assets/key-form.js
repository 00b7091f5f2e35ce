import { elementById } from './elements.js';
import { textOf } from './page-language.js';
import { apiKey, keepApiKey } from './service.js';

const form = elementById('key-form', HTMLFormElement);
const field = elementById('key', HTMLInputElement);
const hintText = elementById('key-hint', HTMLElement);
const toggle = elementById('key-toggle', HTMLButtonElement);

/** @param {boolean} isOpen @param {'keyHint' | 'keyNeeded'} [hint] */
export function openKeyForm(isOpen, hint = 'keyHint') {
  form.hidden = !isOpen;
  hintText.dataset['text'] = hint;
  hintText.textContent = textOf(hint);
  toggle.ariaExpanded = String(isOpen);
  if (isOpen) field.focus();
}

/** @param {() => void} onKey called when another key is to be used */
export function listenToKey(onKey) {
  field.value = apiKey();
  toggle.addEventListener('click', () => openKeyForm(form.hidden === true));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keepApiKey(field.value.trim());
    openKeyForm(false);
    toggle.focus();
    onKey();
  });
}
