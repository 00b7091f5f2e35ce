import { secToSamples } from '../audio/time.ts';
import type { SpeechChunk } from './chunks.ts';
import type { Recognition } from './contracts.ts';
import { cutRecognition, isBehindPair } from './cut-recognition.ts';
import type { WindowAudio } from './loudness.ts';
import { piecesFrom, toRecording, windowSamplesOf } from './time-map.ts';

/** A chunk with its samples. */
export interface ChunkAudio extends SpeechChunk, WindowAudio {
  /** Its first region is the rest of one. */
  readonly isContinued?: boolean;
}

/** What a text leaves out of its chunk. */
export interface UnheardPart extends ChunkAudio {
  /** The text says that more follows; else only voice activity does. */
  readonly isAnnounced: boolean;
}

/** Speech that is worth another window where the text says that more follows … */
const MIN_ANNOUNCED_SAMPLES = secToSamples(0.5);
/** … and where it says that nothing does: voice activity may have heard a breath. */
const MIN_UNHEARD_SAMPLES = secToSamples(1);

/** How far a window's text goes. */
interface HeardPart {
  /** Without a segment that was broken off: it is said again from its beginning. */
  readonly recognition: Recognition;
  /** Sample of the window at which its text ends. */
  readonly endSamples: number;
  /** The text ends with the beginning of another segment. */
  readonly announcesMore: boolean;
}

/**
 * Where OpenAI's decoder would go on reading: from the last timestamp where a text ends in two of
 * them, or in a segment that the limit of tokens broke off. A text that ends in one timestamp says
 * that nothing follows; one without a timestamp at its end goes on to the window's end.
 */
export function heardPart(recognition: Recognition, windowSamples: number): HeardPart {
  const whole = isBroken(recognition) ? withoutBrokenSegment(recognition) : recognition;
  const { tokens } = whole;
  const last = tokens.at(-1);
  const isTimed = last?.kind === 'timestamp' && last.offsetSamples > 0;
  return {
    recognition: whole,
    endSamples: isTimed ? Math.min(last.offsetSamples, windowSamples) : windowSamples,
    announcesMore: isTimed && isBehindPair(tokens, tokens.length),
  };
}

const isBroken = ({ stoppedBy, tokens }: Recognition): boolean =>
  stoppedBy === 'limit' && tokens.at(-1)?.kind === 'text';

function withoutBrokenSegment(recognition: Recognition): Recognition {
  const { tokens } = recognition;
  const start = tokens.findLastIndex(({ kind }) => kind === 'timestamp') + 1;
  return isBehindPair(tokens, start) ? cutRecognition(recognition, start) : recognition;
}

/** The part of a chunk that its text leaves out; null where there is next to no speech in it. */
export function unheardPart(
  chunk: ChunkAudio,
  { endSamples, announcesMore }: Pick<HeardPart, 'endSamples' | 'announcesMore'>,
): UnheardPart | null {
  if (endSamples >= windowSamplesOf(chunk.pieces)) return null;
  const start = toRecording(chunk.pieces, endSamples);
  const regions = chunk.regions
    .filter(({ end }) => end > start)
    .map((region) => ({ start: Math.max(region.start, start), end: region.end }));
  const speechSamples = regions.reduce((sum, region) => sum + region.end - region.start, 0);
  if (speechSamples < (announcesMore ? MIN_ANNOUNCED_SAMPLES : MIN_UNHEARD_SAMPLES)) return null;
  return {
    isAnnounced: announcesMore,
    isContinued: chunk.regions.some((region) => region.start < start && start < region.end),
    pieces: piecesFrom(chunk.pieces, endSamples),
    regions,
    waveform: chunk.waveform.slice(endSamples),
  };
}
