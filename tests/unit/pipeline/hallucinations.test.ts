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
  '한글자막 by 박진희 시청해주셔서 감사합니다.',
  '지금까지 MBC 뉴스 김성현이었습니다.',
])('"%s" is a silence phrase', (text) => {
  expect(isSilencePhrase(text)).toBe(true);
});

/** What checkpoints of all sizes write over silence, one row a family. */
const FAMILIES = {
  'Korean goodbyes': [
    '다음 시간에 만나요.',
    '다음 주에 만나요!',
    '그럼 다음 영상에서 뵙겠습니다.',
    '다음 이 시간에 또 만나요.',
  ],
  'Korean credits': [
    '자막 제공 배달의민족',
    '한글자막 제공 및 광고를 포함하고 있습니다.',
    '자막 제작 김철수',
    '자막 제공',
  ],
  'Korean requests': [
    '구독, 좋아요, 알림설정 부탁드립니다.',
    '구독과 좋아요, 알림 설정까지 부탁드려요!',
    '좋아요와 구독 눌러주세요',
    '구독 좋아요 댓글 꼭 부탁드립니다. 다음 시간에 만나요.',
  ],
  Japanese: [
    'ご視聴ありがとうございました',
    '字幕視聴ありがとうございました',
    '最後までご視聴いただきありがとうございます。',
    'チャンネル登録と高評価よろしくお願いします',
    '字幕制作 山田太郎',
  ],
  Russian: [
    'Субтитры сделал DimaTorzok',
    'Субтитры создавал DimaTorzok',
    'Редактор субтитров А.Семкин Корректор А.Егорова',
    'Продолжение следует...',
    'Спасибо за просмотр!',
    'Подписывайтесь на мой канал',
  ],
  German: [
    'Untertitel der Amara.org-Community',
    'Untertitelung des ZDF, 2020',
    'Untertitel im Auftrag des ZDF für funk, 2017',
    'Untertitel von Stephanie Geiges',
    'Copyright WDR 2021',
    'Vielen Dank fürs Zuschauen!',
  ],
  French: [
    "Sous-titres réalisés para la communauté d'Amara.org",
    'Sous-titrage Société Radio-Canada',
    "Sous-titrage ST' 501",
    "Merci d'avoir regardé cette vidéo !",
    'Sous-titres réalisés par Marie Dupont',
  ],
  Spanish: [
    'Subtítulos realizados por la comunidad de Amara.org',
    '¡Gracias por ver el video!',
    '¡Suscríbete al canal!',
    'Subtítulos por Juan Pérez',
  ],
  Portuguese: [
    'Legendas pela comunidade Amara.org',
    'Legenda por Sônia Ruberti',
    'Obrigado por assistir!',
    'Inscreva-se no canal',
  ],
  Polish: [
    'Napisy stworzone przez społeczność Amara.org',
    'Napisy wykonane przez Jan Kowalski',
    'Dziękuję za oglądanie.',
  ],
  Turkish: ['Altyazı M.K.', 'İzlediğiniz için teşekkür ederim.', 'Abone olmayı unutmayın'],
  Chinese: [
    '谢谢大家观看',
    '感謝您的收看',
    '字幕由 Amara.org 社群提供',
    '字幕志愿者 杨栋梁',
    '我们下期再见',
    '請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目',
  ],
  'Italian and Dutch': [
    'Sottotitoli creati dalla comunità Amara.org',
    'Ondertitels ingediend door de Amara.org gemeenschap',
  ],
  English: [
    'Thanks for watching guys.',
    'See you in the next video!',
    'Subtitles by SteamTeamExtra',
    'Transcribed by https://otter.ai',
  ],
};

test.each(
  Object.entries(FAMILIES).flatMap(([family, texts]) =>
    texts.map((text) => [family, text] as const),
  ),
)('%s: "%s" is dropped over silence and kept where it is spoken', (_, text) => {
  const silent = segmentOf(text, 0.9);
  const spoken = segmentOf(text, 0.1);
  expect(dropSilencePhrases([silent, spoken], 0.6, loud)).toEqual([spoken]);
});

test('a loop of phrases is recognised, and one with words behind it is not, in no time', () => {
  for (const phrase of [
    '구독 좋아요 ',
    '한글자막 by 박진희 ',
    '다음 시간에 만나요 ',
    'Untertitel von Max ',
  ]) {
    expect(isSilencePhrase(phrase.repeat(300))).toBe(true);
    expect(isSilencePhrase(`${phrase.repeat(300)}${'그러나 '.repeat(40)}`)).toBe(false);
  }
});

test.each([
  '',
  '좋아요.',
  '좋아요 좋아요',
  '댓글 부탁드립니다',
  '다음에 봐요',
  '다음 시간에 만나서 이야기합시다',
  '자막을 제공해 주세요',
  '구독 서비스를 해지했습니다',
  'Untertitel sind wichtig.',
  'Les sous-titres sont faux',
  'Subtítulos en español',
  'Napisy są za małe',
  'Субтитры не работают',
  '字幕制作の予算を決めましょう、来年も続けますか、それとも別の会社に頼みますか',
  'See you next week',
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
