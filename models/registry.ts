/** Which files of a repository are wanted: `models/hub/needs.ts` knows each kind. */
type ModelKind = 'whisper' | 'ctc' | 'onnx';

/**
 * A model at a fixed place. `main` means that no commit is known to us yet: what is in a cache is
 * used as it is, and a fresh download takes the newest. `org/name@commit` pins it.
 */
export interface PinnedModel {
  readonly repo: string;
  /** Commit, tag, branch or `refs/pr/N`. */
  readonly revision: string;
  readonly kind: ModelKind;
}

const whisper = (repo: string): PinnedModel => ({ repo, revision: 'main', kind: 'whisper' });
const ctc = (repo: string, revision = 'main'): PinnedModel => ({ repo, revision, kind: 'ctc' });
const onnx = (repo: string): PinnedModel => ({ repo, revision: 'main', kind: 'onnx' });

/** By the names that openai-whisper uses. */
export const WHISPER_MODELS = {
  tiny: whisper('openai/whisper-tiny'),
  'tiny.en': whisper('openai/whisper-tiny.en'),
  base: whisper('openai/whisper-base'),
  'base.en': whisper('openai/whisper-base.en'),
  small: whisper('openai/whisper-small'),
  'small.en': whisper('openai/whisper-small.en'),
  medium: whisper('openai/whisper-medium'),
  'medium.en': whisper('openai/whisper-medium.en'),
  large: whisper('openai/whisper-large-v3'),
  'large-v2': whisper('openai/whisper-large-v2'),
  'large-v3': whisper('openai/whisper-large-v3'),
  'large-v3-turbo': whisper('openai/whisper-large-v3-turbo'),
  turbo: whisper('openai/whisper-large-v3-turbo'),
  'distil-small.en': whisper('distil-whisper/distil-small.en'),
  'distil-medium.en': whisper('distil-whisper/distil-medium.en'),
  'distil-large-v2': whisper('distil-whisper/distil-large-v2'),
  'distil-large-v3': whisper('distil-whisper/distil-large-v3'),
  'distil-large-v3.5': whisper('distil-whisper/distil-large-v3.5'),
} as const satisfies Record<string, PinnedModel>;

/** wav2vec2 CTC models for word times, by language; WhisperX's choice. */
export const ALIGNMENT_MODELS = {
  en: ctc('facebook/wav2vec2-base-960h'),
  ko: ctc('kresnik/wav2vec2-large-xlsr-korean'),
  // The main branches of the next two hold pickled weights only; the pull requests add safetensors.
  ja: ctc('jonatasgrosman/wav2vec2-large-xlsr-53-japanese', 'refs/pr/2'),
  zh: ctc(
    'jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn',
    '8f88a77d492200c56c503ff8fe233ddd97c0ac87', // refs/pr/1
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

export const DIARIZATION_MODELS = {
  'speaker-segmentation': onnx('onnx-community/pyannote-segmentation-3.0'),
  'speaker-embedding': onnx('onnx-community/wespeaker-voxceleb-resnet34-LM'),
} as const satisfies Record<string, PinnedModel>;

const BY_ALIAS: ReadonlyMap<string, PinnedModel> = new Map([
  ...Object.entries(WHISPER_MODELS),
  ...Object.entries(ALIGNMENT_MODELS).map(([language, model]) => [`align-${language}`, model]),
  ...Object.entries(DIARIZATION_MODELS),
] as [string, PinnedModel][]);

/** Short names: `large-v3`, `turbo`, `align-ko`, `speaker-embedding`, … */
export const MODEL_ALIASES: readonly string[] = [...BY_ALIAS.keys()];

/** Finds a model by its short name or by `org/name`. */
export const pinnedModel = (name: string): PinnedModel | undefined =>
  BY_ALIAS.get(name) ?? [...BY_ALIAS.values()].find(({ repo }) => repo === name);
