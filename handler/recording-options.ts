import { DEFAULT_DIARIZE_OPTIONS, type DiarizeOptions } from '../pipeline/diarization/options.ts';
import {
  DEFAULT_POSTPROCESS_OPTIONS,
  type PostprocessOptions,
} from '../pipeline/postprocess/postprocess.ts';
import type { RecordingOptions } from '../pipeline/process-recording.ts';
import { chineseScriptAsked, tagsOf } from './languages.ts';
import type { JobInput } from './schema.ts';
import { toTranscribeOptions } from './transcribe-options.ts';

/** What the pipeline is asked; every setting that was left out has the pipeline's default. */
export const toRecordingOptions = (input: JobInput): RecordingOptions => ({
  alignment: input.alignment,
  transcribe: toTranscribeOptions(input),
  diarize: input.diarize ? diarizeOptionsOf(input) : null,
  postprocess: postprocessOptionsOf(input),
  chineseScript: input.postprocess?.chinese_script ?? chineseScriptAsked(tagsOf(input)),
});

const diarizeOptionsOf = (input: JobInput): DiarizeOptions => ({
  ...DEFAULT_DIARIZE_OPTIONS,
  numSpeakers: input.num_speakers,
  minSpeakers: input.min_speakers ?? DEFAULT_DIARIZE_OPTIONS.minSpeakers,
  maxSpeakers: input.max_speakers,
  knownSpeakers: input.known_speakers,
});

function postprocessOptionsOf({ postprocess, keywords }: JobInput): PostprocessOptions {
  const defaults = DEFAULT_POSTPROCESS_OPTIONS;
  return {
    repairSpacing: postprocess?.repair_spacing ?? defaults.repairSpacing,
    attachParticles: postprocess?.attach_particles ?? defaults.attachParticles,
    splitSentences: postprocess?.split_sentences ?? defaults.splitSentences,
    numbers: postprocess?.numbers ?? defaults.numbers,
    removeFillers: postprocess?.remove_fillers ?? defaults.removeFillers,
    collapseRepeats: postprocess?.collapse_repeats ?? defaults.collapseRepeats,
    punctuate: postprocess?.punctuate ?? defaults.punctuate,
    keywords: postprocess?.correct_keywords === true ? keywords : defaults.keywords,
  };
}
