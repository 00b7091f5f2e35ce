/**
 * @typedef {{ word: string, start: number, end: number, speaker?: string, confidence?: number }} Word
 * @typedef {{ start: number, end: number, text: string, speaker?: string, words?: Word[] }} Segment
 * @typedef {{ segments: Segment[], transcript: string, language: string, audio_duration: number, processing_time?: number, warnings?: { code: string }[] }} Result
 * @typedef {{ status: string, model: string | null, languages: string[], limits: { max_audio_mb: number, max_audio_sec: number } }} Status
 */

const STORED = 'stt-api-key';

/** A failure by its code. */
export class ServiceError extends Error {
  /** @param {string} code @param {string} [detail] */
  constructor(code, detail = '') {
    super(detail);
    this.code = code;
  }
}

export const apiKey = () => sessionStorage.getItem(STORED) ?? '';

/** Kept until the tab is closed. @param {string} key */
export const keepApiKey = (key) => sessionStorage.setItem(STORED, key);

/** @returns {Record<string, string>} */
export const authorization = () => (apiKey() === '' ? {} : { authorization: `Bearer ${apiKey()}` });

/** @returns {Promise<Status>} */
export const fetchStatus = async () => (await request('/stt/status', {})).json();

/** The segments in another format. @param {Segment[]} segments @param {string} format @param {string} recording */
export async function formatTranscript(segments, format, recording) {
  const answer = await request('/stt/format', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ segments, output_format: format, recording }),
  });
  return answer.blob();
}

/** @param {string} path @param {RequestInit} init */
async function request(path, init) {
  const headers = { ...init.headers, ...authorization() };
  const answer = await fetch(path, { ...init, headers }).catch(() => {
    throw new ServiceError('NETWORK');
  });
  if (answer.ok) return answer;
  throw errorOf(await answer.text());
}

/** The error of an answer that failed, whoever wrote it. @param {string} body */
export function errorOf(body) {
  try {
    const { code, message } = JSON.parse(body).error;
    return new ServiceError(String(code), String(message));
  } catch {
    return new ServiceError('NETWORK');
  }
}
