import fc from 'fast-check';
import { expect, test } from 'vitest';
import { koreanDigitsToWords } from '../../../../pipeline/postprocess/korean/digits-to-words.ts';
import { koreanNumbersToDigits } from '../../../../pipeline/postprocess/korean/numbers-to-digits.ts';
import { parseNumeral } from '../../../../pipeline/postprocess/korean/parse-numeral.ts';
import { readNative, readSino } from '../../../../pipeline/postprocess/korean/write-numeral.ts';
import { changed } from './pieces-of.ts';

test.each([
  ['삼만 오천 원입니다', '35,000원입니다'],
  ['삼만오천원을 냈습니다', '35,000원을 냈습니다'],
  ['3만 5천 원', '35,000원'],
  ['매출이 오억 삼천만 원 늘었습니다', '매출이 5억 3,000만원 늘었습니다'],
  ['이천이십육 년 십일 월 이십삼 일에 만나요', '2026년 11월 23일에 만나요'],
  ['이천이십육년 시월 삼일까지', '2026년 10월 3일까지'],
  ['유월에 시작합니다', '6월에 시작합니다'],
  ['오후 세 시 삼십 분에 봅시다.', '오후 3시 30분에 봅시다.'],
  ['열두 시 이 분', '12시 2분'],
  ['사과 다섯 개와 책 스무 권', '사과 5개와 책 20권'],
  ['스물세 살, 서른한 명', '23살, 31명'],
  ['이십 명이 왔어요', '20명이 왔어요'],
  ['삼십 퍼센트가 찬성', '30%가 찬성'],
  ['삼 점 일사 퍼센트', '3.14%'],
  ['삼백오십을 더하면', '350을 더하면'],
  ['공일공 일이삼사 오육칠팔로 전화 주세요', '010-1234-5678로 전화 주세요'],
  ['공이에 칠팔구에 공일이삼입니다', '02-789-0123입니다'],
  ['일오칠칠 공공일일', '1577-0011'],
  ['백이십 호', '120호'],
])('%s is written %s', (spoken, written) => {
  expect(changed(spoken, koreanNumbersToDigits)).toBe(written);
});

test.each([
  '이 일을 먼저 합시다',
  '이 분이 설명하실 거예요',
  '한 번 해 봅시다',
  '두 분 모두 오세요',
  '사원 여러분',
  '오일을 갈았어요',
  '네 시작하겠습니다',
  '분위기가 좋네요',
  '이 시스템은 구 버전입니다',
  '만약 일이 생기면',
  '두세 명이 이삼 일 걸려요',
  '천천히 하십시오',
  '이번 주 일정',
  '백만장자가 될 수는 없어요',
])('%s holds no number to be written in digits', (text) => {
  expect(changed(text, koreanNumbersToDigits)).toBe(text);
});

test.each([
  ['35,000원', '삼만 오천 원'],
  ['3시 30분', '세 시 삼십 분'],
  ['2026년 11월 23일', '이천이십육 년 십일 월 이십삼 일'],
  ['6월과 10월', '유월과 시월'],
  ['사과 20개', '사과 스무 개'],
  ['23살', '스물세 살'],
  ['120명', '백이십 명'],
  ['3.14%', '삼 점 일사 퍼센트'],
  ['010-1234-5678', '공일공 일이삼사 오육칠팔'],
  ['1만 2천 원', '일만 이천 원'],
  ['100000000', '일억'],
  ['10000', '만'],
  ['COVID19와 A4', 'COVID19와 A4'],
])('%s is read %s', (written, spoken) => {
  expect(koreanDigitsToWords(written)).toBe(spoken);
});

test('every number is read back as it was spoken', () => {
  fc.assert(
    fc.property(fc.nat({ max: 9_999_999_999_999_99 }), (value) => {
      fc.pre(value > 0);
      expect(parseNumeral(readSino(value).replaceAll(' ', ''))?.value).toBe(value);
    }),
  );
});

test('every native number before a counter is read back', () => {
  for (let value = 1; value <= 99; value++) {
    expect(parseNumeral(readNative(value)!)?.value).toBe(value);
  }
  expect(readNative(0)).toBeUndefined();
  expect(readNative(100)).toBeUndefined();
});
