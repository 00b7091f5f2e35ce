import { elementById, fillSelect } from './elements.js';
import { languageName, onLanguageChange, pageLanguage, textOf } from './page-language.js';
import { fetchStatus, ServiceError } from './service.js';

const RETRY_MS = 2000;

const modelText = elementById('service', HTMLElement);
const limitsText = elementById('limits', HTMLElement);
const language = elementById('language', HTMLSelectElement);

/** @type {import('./service.js').Status | null} */
let status = null;

/** Asks the service what it is and can, until its model is loaded. @param {(error: unknown) => void} onError */
export async function askStatus(onError) {
  try {
    status = await fetchStatus();
    if (status.status === 'loading') setTimeout(() => askStatus(onError), RETRY_MS);
  } catch (error) {
    onError(error);
  }
  showStatus();
}

/** Before a recording is sent that the service would refuse when it has come. @param {Blob} recording */
export function refuseInVain({ size }) {
  if (size === 0) throw new ServiceError('AUDIO_EMPTY');
  const megabytes = size / (1024 * 1024);
  if (status !== null && megabytes > status.limits.max_audio_mb) {
    throw new ServiceError('AUDIO_TOO_LARGE');
  }
}

function showStatus() {
  const isLoading = status?.status === 'loading';
  modelText.textContent = isLoading ? textOf('loading') : (status?.model ?? '');
  if (status === null) return;
  const { max_audio_mb: megabytes, max_audio_sec } = status.limits;
  const minutes = Math.round(max_audio_sec / 60);
  limitsText.textContent = withOnlyLanguage(textOf('limits', { megabytes, minutes }), status);
  const known = status.languages.map((code) => ({ value: code, name: languageName(code) }));
  fillSelect(
    language,
    known.toSorted((one, other) => one.name.localeCompare(other.name)),
  );
}

/** Who reads the page in another language than the service knows is told. @param {string} limits @param {import('./service.js').Status} status */
function withOnlyLanguage(limits, { languages: [only, ...others] }) {
  if (only === undefined || others.length > 0 || only === pageLanguage()) return limits;
  return textOf('onlyLanguage', { limits, language: languageName(only) });
}

onLanguageChange(showStatus);
