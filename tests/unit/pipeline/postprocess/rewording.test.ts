import { expect, test } from 'vitest';
import { removeFillers } from '../../../../pipeline/postprocess/fillers.ts';
import { keywordCorrector } from '../../../../pipeline/postprocess/keywords.ts';
import { collapseRepeats } from '../../../../pipeline/postprocess/repeats.ts';
import { changed } from './pieces-of.ts';

test.each([
  ['어 그래서 음, 회의를 합니다', '그래서 회의를 합니다'],
  ['그, 제가 | 뭐 | 말씀드리면', '제가 말씀드리면'],
  ['그렇습니다 음.', '그렇습니다.'],
  ['그래서 에 저희가', '그래서 저희가'],
  ['네 에 그렇습니다', '네 그렇습니다'],
  ['어, 그래서 저희가', '그래서 저희가'],
])('Korean hesitations go: %s becomes %s', (text, expected) => {
  expect(changed(text, (pieces) => removeFillers(pieces, 'ko'))).toBe(expected);
});

test.each([
  '그 사람이 뭐 했어요',
  '서울 에 갔다',
  '어, 맞아요.',
  '어? 뭐라고요?',
  '음, 네 알겠습니다',
  '이제 시작합니다',
])('what may be a word of Korean stays: %s', (text) => {
  expect(changed(text, (pieces) => removeFillers(pieces, 'ko'))).toBe(text);
});

test.each([
  ['Um, I uh like it, well, a lot', 'I like it, a lot'],
  ['Um, we should go. Uh, it is.', 'We should go. It is.'],
  ['It is, you know, hard. I mean, very.', 'It is, hard. Very.'],
  ['You know him. I mean it.', 'You know him. I mean it.'],
  ['Uh, yes.', 'Uh, yes.'],
  ['so um. Then', 'so. Then'],
])('English hesitations go, words stay: %s becomes %s', (text, expected) => {
  expect(changed(text, (pieces) => removeFillers(pieces, 'en'))).toBe(expected);
});

test.each([
  ['그그그 그러면 네 네 네 네.', '그 그러면 네.'],
  ['저저저희가 회회회의를', '저희가 회의를'],
  ['no no no.', 'no.'],
])('repeats: %s becomes %s', (text, expected) => {
  expect(changed(text, collapseRepeats)).toBe(expected);
});

test.each([
  '공일공 오오오오 이이이이',
  '오 오 오 칠',
  'five five five',
  '1 1 1',
  '똑똑똑 두드렸다',
  '하하하 네 네',
  'ㅠㅠㅠ ㅋㅋㅋㅋ',
  'very very good',
])('repeated digits, sounds and emphasis stay: %s', (text) => {
  expect(changed(text, collapseRepeats)).toBe(text);
});

test.each([
  ['쿠버네티즈를 씁니다', '쿠버네티스', '쿠버네티스를 씁니다'],
  ['런 포드에서 돌려요', '런포드', '런포드에서 돌려요'],
  ['we use kubernetis.', 'Kubernetes', 'we use Kubernetes.'],
  ['we use postgre sql', 'PostgreSQL', 'we use PostgreSQL'],
  ['회이록을 남겨요', '회의록', '회의록을 남겨요'],
  ['홍길돌로 부르세요', '홍길동', '홍길동으로 부르세요'],
  ...[
    '에게',
    '한테',
    '처럼',
    '까지',
    '부터',
    '보다',
    '으로',
    '이랑',
    '은',
    '이',
    '을',
    '과',
    '의',
  ].map((josa) => [`홍길둥${josa}`, '홍길동', `홍길동${josa}`]),
])('keywords: %s with %s becomes %s', (text, keyword, expected) => {
  expect(changed(text, keywordCorrector([keyword]))).toBe(expected);
});

test.each([
  ['we use cooper netes.', 'Kubernetes'],
  ['회의를 합니다', '회식'],
  ['회의로 정했습니다', '회의록'],
  ['회의록들을 모읍시다', '회의록'],
  ['저울로 쟀습니다', '서울'],
  ['plants grow', 'plant'],
  ['the plant grows', 'plants'],
  ['our managers decide', 'Manager'],
])('another word is no misheard keyword: %s with %s', (text, keyword) => {
  expect(changed(text, keywordCorrector([keyword]))).toBe(text);
});
