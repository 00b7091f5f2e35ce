import { authorization, errorOf, ServiceError } from './service.js';

/** @typedef {import('./service.js').Result} Result */
/**
 * @typedef {object} UploadHooks
 * @property {(fraction: number) => void} onSent
 * @property {(stage: string, fraction: number) => void} onProgress
 */

/**
 * Sends a recording and resolves with its transcript; the service tells how far it is.
 * @param {Blob} recording
 * @param {Record<string, string>} fields
 * @param {UploadHooks} hooks
 * @param {AbortSignal} signal
 * @returns {Promise<Result>}
 */
export function transcribe(recording, fields, hooks, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== '') form.append(name, value);
  form.append('file', recording);
  return new Promise((resolve, reject) => {
    // Unlike fetch it tells how much was sent.
    const request = new XMLHttpRequest();
    const events = new EventReader((name, data) => {
      if (name === 'progress') hooks.onProgress(data.stage, data.fraction);
      if (name === 'result') resolve(data);
      if (name === 'error') reject(errorOf(JSON.stringify(data)));
    });
    request.open('POST', '/stt/upload');
    request.setRequestHeader('accept', 'text/event-stream');
    for (const [name, value] of Object.entries(authorization())) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = ({ loaded, total }) => hooks.onSent(total > 0 ? loaded / total : 0);
    request.onprogress = () => {
      if (request.status === 200) events.read(request.responseText);
    };
    request.onload = () => {
      if (request.status !== 200) reject(errorOf(request.responseText));
      events.read(request.responseText);
      reject(new ServiceError('NETWORK'));
    };
    request.onerror = () => reject(new ServiceError('NETWORK'));
    request.onabort = () => reject(new ServiceError('CANCELLED'));
    signal.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}

/** Server-sent events out of a text that grows. */
class EventReader {
  #read = 0;
  #onEvent;

  /** @param {(name: string, data: any) => void} onEvent */
  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  /** @param {string} text all that has come */
  read(text) {
    for (;;) {
      const end = text.indexOf('\n\n', this.#read);
      if (end < 0) return;
      const block = text.slice(this.#read, end);
      this.#read = end + 2;
      const name = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (name !== undefined && data !== undefined) this.#onEvent(name, JSON.parse(data));
    }
  }
}
