/** Which files of a repository are wanted: `models/hub/needs.ts` knows each kind. */
type ModelKind = 'whisper' | 'ctc';

/**
 * A model at a fixed place. Its commit is pinned where at least two public sources that do not quote
 * each other name it as the head of its branch (lock files and model tables of other projects, paths
 * in published caches; read in November 2026); the Hub itself was not asked. A pin that it does not
 * know, or that lacks a file, is replaced by the branch with a warning. `main` as the revision means
 * that no commit is known to us. What is in a cache is used as it is.
 */
export interface PinnedModel {
  readonly repo: string;
  /** Commit, tag, branch or `refs/pr/N`. */
  readonly revision: string;
  /** Where the commit was taken from. */
  readonly branch: string;
  readonly kind: ModelKind;
}

const MAIN = 'main';
const whisper = (repo: string, revision = MAIN): PinnedModel => ({
  repo,
  revision,
  branch: MAIN,
  kind: 'whisper',
});
const ctc = (repo: string, revision = MAIN, branch = MAIN): PinnedModel => ({
  repo,
  revision,
  branch,
  kind: 'ctc',
});
const LARGE_V3 = whisper('openai/whisper-large-v3', '06f233fe06e710322aca913c1bc4249a0d71fce1');
const TURBO = whisper('openai/whisper-large-v3-turbo', '41f01f3fe87f28c78e2fbf8b568835947dd65ed9');

/** By the names that openai-whisper uses. */
export const WHISPER_MODELS = {
  tiny: whisper('openai/whisper-tiny', '169d4a4341b33bc18d8881c4b69c2e104e1cc0af'),
  'tiny.en': whisper('openai/whisper-tiny.en', '87c7102498dcde7456f24cfd30239ca606ed9063'),
  base: whisper('openai/whisper-base', 'e37978b90ca9030d5170a5c07aadb050351a65bb'),
  'base.en': whisper('openai/whisper-base.en', '911407f4214e0e1d82085af863093ec0b66f9cd6'),
  small: whisper('openai/whisper-small', '973afd24965f72e36ca33b3055d56a652f456b4d'),
  'small.en': whisper('openai/whisper-small.en', 'e8727524f962ee844a7319d92be39ac1bd25655a'),
  medium: whisper('openai/whisper-medium', 'abdf7c39ab9d0397620ccaea8974cc764cd0953e'),
  'medium.en': whisper('openai/whisper-medium.en', '2e98eb6279edf5095af0c8dedb36bdec0acd172b'),
  large: LARGE_V3,
  'large-v2': whisper('openai/whisper-large-v2', 'ae4642769ce2ad8fc292556ccea8e901f1530655'),
  'large-v3': LARGE_V3,
  'large-v3-turbo': TURBO,
  turbo: TURBO,
  'distil-small.en': whisper('distil-whisper/distil-small.en'),
  'distil-medium.en': whisper(
    'distil-whisper/distil-medium.en',
    '6e61418885eaf4d5cc9f64e508e80ac5b4c052b7',
  ),
  'distil-large-v2': whisper(
    'distil-whisper/distil-large-v2',
    '97d2c8f9cae1b0f6c8fc2e173495ee4cedc05843',
  ),
  'distil-large-v3': whisper(
    'distil-whisper/distil-large-v3',
    '8031d2e6ce6631b7fc45629dddfc00271116d981',
  ),
  'distil-large-v3.5': whisper(
    'distil-whisper/distil-large-v3.5',
    '728a7691f3ff1d3d971528d3203a6e9559165d41',
  ),
} as const satisfies Record<string, PinnedModel>;

/** wav2vec2 CTC models for word times, by language; WhisperX's choice. */
export const ALIGNMENT_MODELS = {
  en: ctc('facebook/wav2vec2-base-960h', '22aad52d435eb6dbaf354bdad9b0da84ce7d6156'),
  ko: ctc('kresnik/wav2vec2-large-xlsr-korean'),
  // The main branches of the next two hold pickled weights only; the pull requests add safetensors.
  ja: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-japanese', 'refs/pr/2', 'refs/pr/2'),
  zh: ctc(
    'jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn',
    '8f88a77d492200c56c503ff8fe233ddd97c0ac87',
    'refs/pr/1',
  ),
  fr: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-french'),
  de: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-german'),
  es: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-spanish'),
  it: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-italian'),
  nl: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-dutch'),
  pt: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-portuguese'),
  ar: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-arabic'),
  ru: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-russian'),
  pl: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-polish'),
  hu: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-hungarian'),
  fi: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-finnish'),
  fa: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-persian'),
  el: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-greek'),
  uk: ctc('Yehor/wav2vec2-xls-r-300m-uk-with-small-lm'),
  cs: ctc('comodoro/wav2vec2-xls-r-300m-cs-250'),
  sk: ctc('comodoro/wav2vec2-xls-r-300m-sk-cv8'),
  tr: ctc('mpoyraz/wav2vec2-xls-r-300m-cv7-turkish'),
  da: ctc('saattrupdan/wav2vec2-xls-r-300m-ftspeech'),
  he: ctc('imvladikon/wav2vec2-xls-r-300m-hebrew'),
  vi: ctc('nguyenvulebinh/wav2vec2-base-vi-vlsp2020'),
  ur: ctc('kingabzpro/wav2vec2-large-xls-r-300m-Urdu'),
  te: ctc('anuragshas/wav2vec2-large-xlsr-53-telugu'),
  hi: ctc('theainerd/Wav2Vec2-large-xlsr-hindi'),
  ca: ctc('softcatala/wav2vec2-large-xlsr-catala'),
  ml: ctc('gvs/wav2vec2-large-xlsr-malayalam'),
  no: ctc('NbAiLab/nb-wav2vec2-1b-bokmaal-v2'),
  nn: ctc('NbAiLab/nb-wav2vec2-1b-nynorsk'),
  sl: ctc('anton-l/wav2vec2-large-xlsr-53-slovenian'),
  hr: ctc('classla/wav2vec2-xls-r-parlaspeech-hr'),
  ro: ctc('gigant/romanian-wav2vec2'),
  eu: ctc('stefan-it/wav2vec2-large-xlsr-53-basque'),
  gl: ctc('ifrz/wav2vec2-large-xlsr-galician'),
  ka: ctc('xsway/wav2vec2-large-xlsr-georgian'),
  lv: ctc('jimregan/wav2vec2-large-xlsr-latvian-cv'),
  tl: ctc('Khalsuu/filipino-wav2vec2-l-xls-r-300m-official'),
  sv: ctc('KBLab/wav2vec2-large-voxrex-swedish'),
  id: ctc('cahya/wav2vec2-large-xlsr-indonesian'),
} as const satisfies Record<string, PinnedModel>;

const BY_ALIAS: ReadonlyMap<string, PinnedModel> = new Map([
  ...Object.entries(WHISPER_MODELS),
  ...Object.entries(ALIGNMENT_MODELS).map(([language, model]) => [`align-${language}`, model]),
] as [string, PinnedModel][]);

/** Short names: `large-v3`, `turbo`, `align-ko`, … */
export const MODEL_ALIASES: readonly string[] = [...BY_ALIAS.keys()];

/** Finds a model by its short name or by `org/name`. */
export const pinnedModel = (name: string): PinnedModel | undefined =>
  BY_ALIAS.get(name) ?? [...BY_ALIAS.values()].find(({ repo }) => repo === name);
