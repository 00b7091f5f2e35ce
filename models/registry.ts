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
  /** For `onnx`: the files, all of them required. */
  readonly files?: readonly string[];
}

const whisper = (repo: string): PinnedModel => ({ repo, revision: 'main', kind: 'whisper' });
const ctc = (repo: string, revision = 'main'): PinnedModel => ({ repo, revision, kind: 'ctc' });
const onnx = (repo: string, files: readonly string[]): PinnedModel => ({
  repo,
  revision: 'main',
  kind: 'onnx',
  files,
});

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
} as const satisfies Record<string, PinnedModel>;

export const DIARIZATION_MODELS = {
  'speaker-segmentation': onnx('onnx-community/pyannote-segmentation-3.0', ['onnx/model.onnx']),
  'speaker-embedding': onnx('onnx-community/wespeaker-voxceleb-resnet34-LM', ['onnx/model.onnx']),
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
