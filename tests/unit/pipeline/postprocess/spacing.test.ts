import { expect, test } from 'vitest';
import { attachParticles } from '../../../../pipeline/postprocess/korean/particles.ts';
import { toPieces } from '../../../../pipeline/postprocess/pieces.ts';
import { repairSpacing } from '../../../../pipeline/postprocess/spacing.ts';
import { changed, segmentOf } from './pieces-of.ts';

test.each([
  ['회의 를 시작 합니다', '회의를 시작 합니다'],
  ['서울 에서 부산 까지', '서울에서 부산까지'],
  ['서울 에서 는', '서울에서는'],
  ['일정 을 정하고', '일정을 정하고'],
  ['회의록 으로 남기고 서울 로 갑니다', '회의록으로 남기고 서울로 갑니다'],
  ['선생님 께서 말씀하셨습니다', '선생님께서 말씀하셨습니다'],
  ['지금 까지', '지금까지'],
  ['우리 의 목표', '우리의 목표'],
  ['저희 회사 입니다.', '저희 회사입니다.'],
  ['API 를 씁니다', 'API를 씁니다'],
  ['3시 까지 10% 를 2024년 부터', '3시까지 10%를 2024년부터'],
])('a particle stands at its noun (한글 맞춤법 41항): %s becomes %s', (text, expected) => {
  expect(changed(text, attachParticles)).toBe(expected);
});

test.each([
  '이 은 반지 와 만 원',
  '그래서 에 저희가',
  '네 에 그렇습니다',
  '서울 에 갔다',
  '숙제 마저 하고',
  '회의 보다 식사',
  '네 입니다',
  '했습니다 에서',
  '그래서 는',
  '그렇게 까지',
  '서울 을르',
  '회의, 를',
])('what may be a word of its own stays one: %s', (text) => {
  expect(changed(text, attachParticles)).toBe(text);
});

test.each([
  ['그렇죠 . 그런데요 ?', '그렇죠. 그런데요?'],
  ['했어요.그래서 갔어요', '했어요. 그래서 갔어요'],
  ['네.그렇습니다', '네. 그렇습니다'],
  ['서울,부산', '서울, 부산'],
  ['( 회의 )', '(회의)'],
  ['「 회의 」', '「회의 」'],
  ['3.5배, example.com', '3.5배, example.com'],
  ['초.중.고와 시.도', '초.중.고와 시.도'],
  ['국.영.수', '국.영.수'],
  ['\u1112\u1161\u11ab국', '한국'],
])('spacing: %s becomes %s', (text, expected) => {
  expect(changed(text, repairSpacing)).toBe(expected);
});

test('words keep their own times where a mark is set to one and a space between them', () => {
  const pieces = repairSpacing(toPieces(segmentOf('했어요.그래서 , 갔어요')));
  const times = pieces.map(({ text, words }) => [
    text,
    words[0]!.range.start,
    words.at(-1)!.range.end,
  ]);
  expect(times).toEqual([
    ['했어요.', 0, 4571],
    ['그래서,', 4571, 8000],
    ['갔어요', 16_000, 24_000],
  ]);
});
