import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ERROR_CODES } from '../../../core/errors.ts';

const ASSETS = new URL('../../../handler/http/page/assets/', import.meta.url);

/** The page sends no URLs, paths, keys of idempotency or decoding options, and its requests have the right form. */
const OF_OTHER_REQUESTS = [
  'METHOD_NOT_ALLOWED',
  'REQUEST_TYPE_UNSUPPORTED',
  'IDEMPOTENCY_CONFLICT',
  'DECODE_COST_EXCEEDED',
  'URL_FORBIDDEN',
  'PATH_FORBIDDEN',
];

const ErrorTexts = z.object({
  errorText: z.function({ input: [z.string(), z.string()], output: z.string() }),
});
const PageTexts = z.object({ TEXTS: z.record(z.string(), z.record(z.string(), z.string())) });

const load = async (name: string): Promise<unknown> => import(new URL(name, ASSETS).href);

test('every failure that can reach the page is told in words, in English and in Korean', async () => {
  const { errorText } = ErrorTexts.parse(await load('error-texts.js'));
  for (const language of ['en', 'ko']) {
    const vague = errorText(language, 'no such code');
    const codes = Object.keys(ERROR_CODES).filter((code) => !OF_OTHER_REQUESTS.includes(code));
    const untold = codes.filter((code) => errorText(language, code) === vague);
    expect([language, untold]).toEqual([language, ['INTERNAL']]);
    for (const code of codes) expect(errorText(language, code)).toMatch(/^\S.*[.]$/);
  }
  expect(errorText('ko', 'NETWORK')).toMatch(/\p{Script=Hangul}/u);
});

test('every text of the page is there in both languages, with the same places to fill in', async () => {
  const { TEXTS } = PageTexts.parse(await load('texts.js'));
  const { en = {}, ko = {} } = TEXTS;
  expect(Object.keys(ko)).toEqual(Object.keys(en));
  const places = (text = '') => [...text.matchAll(/\{\w+\}/g)].map(String).toSorted();
  for (const [key, text] of Object.entries(en)) {
    expect([key, places(ko[key])]).toEqual([key, places(text)]);
  }
  const html = readFileSync(new URL('page.html', ASSETS), 'utf8');
  const used = [...html.matchAll(/data-(?:text|label)="(\w+)"/g)].map(([, key = '']) => key);
  expect(used.filter((key) => !(key in en))).toEqual([]);
});
