import type { SampleRange } from '../../../audio/time.ts';
import type { SpeechRegionOptions } from '../../../pipeline/speech-regions.ts';

/** State of silero's loop, under silero's names. Zero means "none" for the sample positions. */
interface State {
  start: number | null;
  tempEnd: number;
  possibleEnds: { end: number; duration: number }[];
}

/**
 * silero-vad 6.2's `get_speech_timestamps`, statement by statement and over the whole recording at
 * once: the oracle for the incremental detector.
 */
export function sileroSpeechTimestamps(
  probabilities: Float32Array,
  audioSamples: number,
  options: Omit<SpeechRegionOptions, 'cutRule'>,
): SampleRange[] {
  const speeches: { start: number; end: number }[] = [];
  const maxSpeech = options.maxSpeechSamples - options.windowSamples - 2 * options.speechPadSamples;
  const state: State = { start: null, tempEnd: 0, possibleEnds: [] };

  for (const [window, probability] of probabilities.entries()) {
    const now = window * options.windowSamples;
    if (probability >= options.onsetThreshold && state.tempEnd) {
      const duration = now - state.tempEnd;
      if (duration > 1568) state.possibleEnds.push({ end: state.tempEnd, duration });
      state.tempEnd = 0;
    }
    if (probability >= options.onsetThreshold && state.start === null) {
      state.start = now;
      continue;
    }
    if (state.start !== null && now - state.start > maxSpeech) {
      const longest = state.possibleEnds.toSorted((a, b) => b.duration - a.duration)[0];
      speeches.push({ start: state.start, end: longest ? longest.end : now });
      Object.assign(state, { tempEnd: 0, possibleEnds: [] });
      state.start = longest ? longest.end + longest.duration : null;
      if (!longest) continue;
    }
    if (probability < options.offsetThreshold && state.start !== null) {
      state.tempEnd ||= now;
      if (now - state.tempEnd < options.minSilenceSamples) continue;
      if (state.tempEnd - state.start > options.minSpeechSamples) {
        speeches.push({ start: state.start, end: state.tempEnd });
      }
      Object.assign(state, { start: null, tempEnd: 0, possibleEnds: [] });
    }
  }
  if (state.start !== null && audioSamples - state.start > options.minSpeechSamples) {
    speeches.push({ start: state.start, end: audioSamples });
  }
  pad(speeches, audioSamples, options.speechPadSamples);
  return speeches;
}

function pad(speeches: { start: number; end: number }[], audioSamples: number, padSamples: number) {
  for (const [index, speech] of speeches.entries()) {
    const next = speeches[index + 1];
    if (index === 0) speech.start = Math.max(0, speech.start - padSamples);
    if (!next) {
      speech.end = Math.min(audioSamples, speech.end + padSamples);
      continue;
    }
    const silence = next.start - speech.end;
    const isClose = silence < 2 * padSamples;
    speech.end = isClose
      ? speech.end + Math.floor(silence / 2)
      : Math.min(audioSamples, speech.end + padSamples);
    next.start = Math.max(0, next.start - (isClose ? Math.floor(silence / 2) : padSamples));
  }
}
