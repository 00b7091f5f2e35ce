import type { Waveform } from '../audio/waveform.ts';
import { SttError } from '../core/errors.ts';
import type { Segment } from './contracts.ts';
import { speakerLabel } from './diarization/diarize.ts';
import type { TranscribeHooks } from './options.ts';
import {
  processRecording,
  type RecordingModels,
  type RecordingOptions,
  type RecordingTranscript,
} from './process-recording.ts';

/**
 * As `processRecording` for a recording of which each channel is one person's, as of a telephone call:
 * channels are transcribed one after the other, and their segments are brought together by time. Where
 * speakers are asked for, a channel's number is its speaker's. The language is that of the channel
 * with the most speech.
 *
 * @throws whatever `processRecording` throws.
 */
// biome-ignore lint/complexity/useMaxParams: what, how, with which models, who watches, until when
export async function processChannels(
  channels: readonly Waveform[],
  options: RecordingOptions,
  models: RecordingModels,
  hooks: TranscribeHooks,
  signal: AbortSignal,
): Promise<RecordingTranscript> {
  const parts: RecordingTranscript[] = [];
  for (const [channel, waveform] of channels.entries()) {
    const part = await processRecording(
      waveform,
      { ...options, diarize: null },
      models,
      {
        onStage: (...stage) => hooks.onStage?.(...stage),
        onProgress: (fraction) => hooks.onProgress?.((channel + fraction) / channels.length),
      },
      signal,
    );
    parts.push(ofChannel(part, channel, options.diarize !== null));
  }
  const segments = parts.flatMap((part) => part.segments).sort(byStart);
  if (segments.length > 0) hooks.onSegments?.(segments);
  const turns = segments.flatMap(({ speaker, range }) => (speaker ? [{ speaker, range }] : []));
  const warnings = parts.flatMap((part) => part.warnings);
  return { ...mostSpoken(parts), segments, turns, warnings, channelCount: channels.length };
}

const byStart = (a: Segment, b: Segment): number => a.range.start - b.range.start;

function ofChannel(
  part: RecordingTranscript,
  channel: number,
  hasSpeaker: boolean,
): RecordingTranscript {
  const named = { channel, ...(hasSpeaker && { speaker: speakerLabel(channel) }) };
  return {
    ...part,
    segments: part.segments.map((segment) => ({
      ...segment,
      ...named,
      words: segment.words.map((word) => ({ ...word, ...named })),
    })),
    warnings: part.warnings.map((warning) => ({
      ...warning,
      message: `Channel ${channel}: ${warning.message}`,
    })),
  };
}

function mostSpoken(parts: readonly RecordingTranscript[]): RecordingTranscript {
  const spoken = parts.map(({ segments }) =>
    segments.reduce((sum, { range }) => sum + range.end - range.start, 0),
  );
  const most = parts[spoken.indexOf(Math.max(...spoken))];
  if (most === undefined) throw new SttError('INTERNAL', 'A recording of 0 channels');
  return most;
}
