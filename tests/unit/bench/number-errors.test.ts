import { expect, test } from 'vitest';
import { countNumberErrors, numbersOf } from '../../../bench/number-errors.ts';

test('numbers are compared by their value, and those with a zero before them by their digits', () => {
  expect(numbersOf('2천 원은 2,000원이고 2000원')).toEqual(['2000', '2000', '2000']);
  expect(numbersOf('1억 2000만 원, 3.14, 5~10가지')).toEqual(['120000000', '3.14', '5', '10']);
  expect(numbersOf('010-1234, 007번, MP3')).toEqual(['010', '1234', '007', '3']);
  expect(numbersOf('숫자가 없는 글')).toEqual([]);
});

test('a number is found once for each time that it should stand there; the others are invented', () => {
  expect(countNumberErrors('2번 중 2번', '2번 중 두번')).toEqual({
    expected: 2,
    found: 1,
    invented: 0,
  });
  expect(countNumberErrors('이번에 3개', '2번에 3개 4개')).toEqual({
    expected: 1,
    found: 1,
    invented: 2,
  });
});
