import { expect, test } from 'vitest';
import { koreanSentenceEnd } from '../../../../pipeline/postprocess/korean/sentence-ends.ts';
import {
  DEFAULT_POSTPROCESS_OPTIONS,
  postprocess,
} from '../../../../pipeline/postprocess/postprocess.ts';
import { punctuateKorean } from '../../../../pipeline/postprocess/sentences.ts';
import { changed, segmentOf } from './pieces-of.ts';

const sentencesOf = (text: string, language: string): string[] =>
  postprocess([segmentOf(text)], language, DEFAULT_POSTPROCESS_OPTIONS).map((each) => each.text);

test.each([
  ['en', 'The U.S. government met at 5 p.m. on Monday.'],
  ['en', 'She has a Ph.D. in physics.'],
  ['en', 'Gen. Lee and Sen. Park met on Mt. Fuji.'],
  ['en', 'Mr. Kim and Prof. J. K. Lee came.'],
  ['en', 'Wait... what is it?'],
  ['en', 'See No. 5 and Fig. 3 below.'],
  ['en', '3. The next item'],
  ['en', 'Yahoo! is a company.'],
  ['en', 'We sell pens, paper, etc. to schools.'],
  ['ko', '2024. 3. 15. 회의를 시작합니다.'],
  ['ko', '3. 다음 안건입니다.'],
  ['ko', '가. 개요를 말씀드리겠습니다.'],
  ['ko', '그... 저희가 말씀드린 대로'],
  ['ko', 'Dr. Kim이 왔습니다.'],
  ['ko', '"갈까요?" 라고 물었습니다.'],
  ['ja', '「はい。」 と言いました。'],
  ['de', 'Am 3. Oktober kommt Dr. Müller z.B. um 5 Uhr.'],
  ['fr', 'M. Dupont et Mme. Durand sont là.'],
  ['es', 'El Sr. García llegó el 3. de mayo.'],
])('%s: "%s" is one sentence', (language, text) => {
  expect(sentencesOf(text, language)).toEqual([text]);
});

test.each([
  ['en', 'Mr. Kim came. | He left.'],
  ['en', 'It was in the U.S. | We left at 5 p.m. | They stayed.'],
  ['en', 'I work at Acme Inc. | They pay well.'],
  ['en', 'It was 2024. | Samsung won.'],
  ['en', 'No. | That is wrong.'],
  ['en', 'So did I. | Then we left...'],
  ['en', '"Really?" | "Yes."'],
  ['ko', '네. | 그렇습니다. | 시작할까요? | 좋습니다.'],
  ['ko', '그랬죠... | 그래서 다시 했습니다.'],
  ['de', 'Es war der 3. Oktober. | Wir gingen nach Hause.'],
  ['ja', 'はい。 | そうです。'],
])('%s: "%s" is cut at the bars', (language, text) => {
  expect(sentencesOf(text.replaceAll(' | ', ' '), language)).toEqual(text.split(' | '));
});

test('sentences become segments with their own words and times', () => {
  const split = postprocess([segmentOf('안녕하세요 | 회의를 시작합니다 | 네')], 'ko', {
    ...DEFAULT_POSTPROCESS_OPTIONS,
  });
  expect(split.map(({ text, range }) => [text, range.start, range.end])).toEqual([
    ['안녕하세요', 0, 8000],
    ['회의를 시작합니다', 16_000, 32_000],
    ['네', 40_000, 48_000],
  ]);
});

const QUESTIONS =
  `갑니까 어떻습니까 할까요 될까요 했나요 있나요 없나요 하시나요 되나요 모르나요 인가요 건가요 큰가요
  했던가요 뭐예요 어디세요 누구세요 어떠세요 언제까지요`.split(/\s+/);
const STATEMENTS =
  `시작하겠습니다 좋네요 가요 나가요 들어가요 나요 만나요 기억나요 끝나요 일어나요 신나요 그러니까요
  감사해요 맞아요 그렇죠 했거든요 와요 할게요`.split(/\s+/);

test.each([
  ...QUESTIONS.map((word) => [word, 'question'] as const),
  ...STATEMENTS.map((word) => [word, 'statement'] as const),
  ...'그러니까 있다가 회의까지 수요 중요 개요 그런데요'
    .split(' ')
    .map((word) => [word, undefined] as const),
])('%s ends a sentence as %s', (word, expected) => {
  expect(koreanSentenceEnd(word)).toBe(expected);
});

test('a Korean ending before a pause gets its mark, and its question mark', () => {
  expect(changed('집에 가요 | 내일 만나요 | 준비됐습니까 | 네 좋아요 그럼', punctuateKorean)).toBe(
    '집에 가요. 내일 만나요. 준비됐습니까? 네 좋아요 그럼',
  );
});
