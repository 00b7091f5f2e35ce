import { expect, test } from 'vitest';
import { z } from 'zod';

const ASSETS = new URL('../../../handler/http/page/assets/', import.meta.url);
const load = async (name: string): Promise<unknown> => import(new URL(name, ASSETS).href);

interface Word {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly speaker?: string;
}
interface Joined {
  begin(startSec: number): void;
  placed(event: object): unknown;
}
const isFunction = (value: unknown): boolean => typeof value === 'function';
const Turns = z.object({ turnsOf: z.custom<(utterance: object) => unknown>(isFunction) });
const Sessions = z.object({ JoinedSessions: z.custom<new () => Joined>(isFunction) });

const { turnsOf } = Turns.parse(await load('live-turns.js'));
const { JoinedSessions } = Sessions.parse(await load('joined-sessions.js'));

const [A, B] = ['SPEAKER_00', 'SPEAKER_01'];

/** Words of a second each, by whom they are spoken; empty: nobody knows. */
const wordsBy = (speakers: readonly string[], text: string): Word[] =>
  text.split(' ').map((word, index) => {
    const speaker = speakers[index] ?? '';
    return { word, start: index, end: index + 1, ...(speaker !== '' && { speaker }) };
  });

const utterance = (speakers: readonly string[], text: string) => ({
  ...{ start: 0, end: speakers.length, text: ` ${text}` },
  words: wordsBy(speakers, text.replaceAll(/[,.?]/g, '')),
});

test('an utterance is split where the speaker changes, with punctuation and times', () => {
  expect(turnsOf(utterance([A, A, B, A], 'is it, it is. is'))).toMatchObject([
    { start: 0, end: 2, text: 'is it,', speaker: A, words: [{ word: 'is' }, { word: 'it' }] },
    { start: 2, end: 3, text: 'it', speaker: B, words: [{ word: 'it', start: 2 }] },
    { start: 3, end: 4, text: 'is. is', speaker: A },
  ]);
});

test('words without a speaker are of whoever spoke before them, the first of whoever comes', () => {
  expect(turnsOf(utterance(['', '', A, '', B, ''], 'a b c d e f'))).toMatchObject([
    { start: 0, end: 4, text: 'a b c d', speaker: A, words: Array(4).fill({ speaker: A }) },
    { start: 4, end: 6, text: 'e f', speaker: B },
  ]);
});

test('an utterance in which nobody is known, or nothing was said, is one turn without a name', () => {
  const unknown = utterance(['', ''], 'a b');
  expect(turnsOf(unknown)).toEqual([{ ...unknown, text: 'a b' }]);
  const empty = { start: 3, end: 3, text: '', words: [] };
  expect(turnsOf(empty)).toEqual([empty]);
});

test('people of a session that follows have names that nobody had before, and its times go on', () => {
  const sessions = new JoinedSessions();
  const final = (speakers: readonly string[]) => ({
    ...{ type: 'transcript_final', utterance_id: 0, start: 0, end: 1 },
    words: wordsBy(speakers, speakers.map(() => 'word').join(' ')),
  });
  expect(sessions.placed(final([A, B]))).toEqual(final([A, B]));
  sessions.begin(60);
  const [third, fourth] = ['SPEAKER_02', 'SPEAKER_03'];
  const second = sessions.placed(final([A, '', B, A]));
  const speakers = [{ speaker: third, start: 60 }, {}, { speaker: fourth }, { speaker: third }];
  expect(second).toMatchObject({ start: 60, end: 61, words: speakers });
  expect(second).not.toMatchObject({ utterance_id: 0 });
  sessions.begin(90);
  const last = { words: [{ speaker: 'SPEAKER_04', start: 90 }] };
  expect(sessions.placed(final([A]))).toMatchObject(last);
});
