import { expect, test } from 'vitest';
import type { Segment } from '../../../pipeline/contracts.ts';
import {
  dropSilencePhrases,
  hallucinationWarnings,
  isSilencePhrase,
  NOTHING_GUARDED,
} from '../../../pipeline/hallucinations.ts';
import { loudnessDb } from '../../../pipeline/loudness.ts';

const segmentOf = (text: string, noSpeechProb: number): Segment => ({
  text,
  noSpeechProb,
  range: { start: 0, end: 1 },
  confidence: 0.9,
  words: [],
  avgLogProb: -0.2,
  compressionRatio: 1,
  temperature: 0,
});

test.each([
  '시청해주셔서 감사합니다.',
  '시청해 주셔서 감사합니다!',
  '구독과 좋아요',
  '구독과 좋아요 부탁드립니다. 시청해주셔서 감사합니다.',
  'MBC 뉴스 김지경입니다.',
  '한글자막 by 박진희',
  '이 영상은 유료광고를 포함하고 있습니다.',
  'ＭＢＣ 뉴스 이덕영입니다.',
  'Thank you for watching.',
  'Thanks for watching! Thanks for watching!',
  'ご視聴ありがとうございました。',
  '字幕由 Amara.org 社区提供',
  '中文字幕志愿者 李宗盛',
])('"%s" is a silence phrase', (text) => {
  expect(isSilencePhrase(text)).toBe(true);
});

test.each([
  '',
  '감사합니다.',
  'Thank you.',
  'Thank you for watching the children.',
  '구독과 좋아요 버튼의 색을 바꿉시다',
  'MBC 뉴스에서 봤는데 그 사람 배우입니다',
  '字幕を確認してください',
  '자막은 나중에 확인하죠',
])('"%s" is not a silence phrase', (text) => {
  expect(isSilencePhrase(text)).toBe(false);
});

const loud = { pieces: [{ start: 0, end: 1 }], waveform: new Float32Array([0.1]) };

test('a silence phrase is dropped where the audio agrees, and only there', () => {
  const silent = segmentOf('Thanks for watching!', 0.61);
  const spoken = segmentOf('Thanks for watching!', 0.6);
  const other = segmentOf('Ask not.', 0.9);
  expect(dropSilencePhrases([silent, spoken, other], 0.6, loud)).toEqual([spoken, other]);
  const quiet = { ...loud, waveform: new Float32Array([0.0009]) };
  expect(dropSilencePhrases([spoken, other], 0.6, quiet)).toEqual([other]);
});

test('loudness is that of the range, wherever its pieces stand in the window', () => {
  const pieces = [
    { start: 10, end: 12 },
    { start: 50, end: 52 },
  ];
  const waveform = Float32Array.of(1, 1, 0.1, -0.1);
  expect(loudnessDb({ pieces, waveform }, { start: 10, end: 12 })).toBeCloseTo(0);
  expect(loudnessDb({ pieces, waveform }, { start: 50, end: 52 })).toBeCloseTo(-20);
  expect(loudnessDb({ pieces, waveform }, { start: 20, end: 30 })).toBe(Number.NEGATIVE_INFINITY);
});

test('what each guard took away is counted in a warning of its own', () => {
  expect(hallucinationWarnings(NOTHING_GUARDED)).toEqual([]);
  const counts = { silencePhrases: 1, repetitionLoops: 3, silentWindows: 2, paddingText: 1 };
  expect(hallucinationWarnings(counts)).toMatchObject([
    { code: 'HALLUCINATION_DROPPED', count: 1, message: expect.stringMatching(/^1 segment was/) },
    { code: 'REPETITION_DROPPED', count: 3, message: expect.stringMatching(/^3 windows repeated/) },
    { code: 'SILENCE_DROPPED', count: 2 },
    { code: 'PADDING_DROPPED', count: 1 },
  ]);
});
