import { expect, test } from 'vitest';
import {
  type Agreement,
  agree,
  emptyAgreement,
  type LiveWord,
} from '../../../../pipeline/realtime/agreement.ts';

const SEC = 16_000;

/** Words that last 0.3 s, one every 0.4 s from `startSec` on. */
const heard = (text: string, { startSec = 0, confidence = 0.9 } = {}): LiveWord[] =>
  text.split(' ').map((word, index) => {
    const start = Math.round((startSec + 0.4 * index) * SEC);
    return { text: ` ${word}`, range: { start, end: start + 0.3 * SEC }, confidence };
  });

interface Window {
  readonly words: readonly LiveWord[];
  readonly isLast?: boolean;
}

/** Finals of windows in a row, each long enough that no word is near its end. */
function finalsOf(...windows: readonly Window[]): string[] {
  let agreement: Agreement = emptyAgreement(0);
  return windows.map(({ words, isLast = false }) => {
    const step = agree(agreement, { words, windowEnd: 10 * SEC, isLast });
    agreement = step.agreement;
    return step.finals.map(({ text }) => text).join('');
  });
}

test('a word that two windows split differently is final as a whole', () => {
  const [, finals] = finalsOf({ words: heard('I cannot go') }, { words: heard('I can not go') });
  expect(finals).toBe(' I can not go');
  const [, waiting] = finalsOf({ words: heard('I cannot') }, { words: heard('I can') });
  expect(waiting).toBe(' I');
});

test('the rest of a word whose beginning is final joins it without a space', () => {
  const texts = ['할', '할', '할수 있다', '할수 있다'];
  expect(finalsOf(...texts.map((text) => ({ words: heard(text) }))).join('')).toBe(' 할수 있다');
  const numbers = ['10 000', '10 000', '10000 people'].map((text) => ({ words: heard(text) }));
  expect(finalsOf(...numbers, { words: heard('10,000 people'), isLast: true }).join('')).toBe(
    ' 10 000 people',
  );
});

test('a final word is not doubled when a later window writes it with its neighbour', () => {
  const texts = ['할 수 있다', '할 수 있다', '할수 있다 그래'];
  const windows = texts.map((text) => ({ words: heard(text) }));
  const finals = finalsOf(...windows, { words: heard('할수있다 그래'), isLast: true });
  expect(finals.join('')).toBe(' 할 수 있다 그래');
});

test('a final word stays one word when a later window hears it half a second later', () => {
  const early = { words: heard('the budget') };
  const late = { words: heard('the', {}).concat(heard('budget for', { startSec: 0.9 })) };
  expect(finalsOf(early, early, late, late).join('')).toBe(' the budget for');
});

test('marks, case and hyphens do not keep a word from being agreed on', () => {
  const [, finals] = finalsOf(
    { words: heard('Well, e-mail 10,000 now') },
    { words: heard('well email 10000. Now') },
  );
  expect(finals).toBe(' well email 10000. Now');
});

test('a doubtful word and those behind it wait until more was heard', () => {
  const window = { words: [...heard('sure'), ...heard('hm', { startSec: 8.4, confidence: 0.3 })] };
  const more = heard('then', { startSec: 8.8 });
  const words = [...window.words, ...more];
  expect(finalsOf({ words }, { words })).toEqual(['', ' sure']);
  const certain = words.map((word) => ({ ...word, confidence: 0.8 }));
  expect(finalsOf({ words }, { words: certain })).toEqual(['', ' sure hm then']);
});
