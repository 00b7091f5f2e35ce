import { expect, test } from 'vitest';
import { secToSamples } from '../../../audio/time.ts';
import type { Segment } from '../../../pipeline/contracts.ts';
import { DEFAULT_DIARIZE_OPTIONS } from '../../../pipeline/diarization/options.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS, type TranscribeHooks } from '../../../pipeline/options.ts';
import { DEFAULT_POSTPROCESS_OPTIONS } from '../../../pipeline/postprocess/postprocess.ts';
import { processChannels } from '../../../pipeline/process-channels.ts';
import type { RecordingOptions } from '../../../pipeline/process-recording.ts';
import { ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import { ScriptedVoiceActivity } from '../../fakes/scripted-voice-activity.ts';
import {
  ScriptedEmbedding,
  ScriptedSegmentation,
  scriptedConversation,
} from '../../fakes/scripted-voices.ts';

const RANGE = { start: 0, end: secToSamples(10) };
/** Each channel is a level of its own, which the recogniser below reads as its words. */
const channelOf = (speaker: number) => scriptedConversation([{ speaker, range: RANGE }], RANGE.end);

function process(options: Partial<RecordingOptions> = {}, hooks: TranscribeHooks = {}) {
  let windows = 0;
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() => {
    const text = windows++ === 0 ? ' Good morning.' : ' Hello to you.';
    return { tokens: [recognizer.textToken(text)] };
  });
  return processChannels(
    [channelOf(0), channelOf(1)],
    {
      transcribe: { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' },
      diarize: DEFAULT_DIARIZE_OPTIONS,
      postprocess: DEFAULT_POSTPROCESS_OPTIONS,
      ...options,
    },
    {
      recognizer,
      voiceActivity: new ScriptedVoiceActivity([RANGE]),
      segmentation: new ScriptedSegmentation(),
      embedding: new ScriptedEmbedding(),
    },
    hooks,
    new AbortController().signal,
  );
}

test('each channel is transcribed by itself and is one speaker, by its number', async () => {
  const { segments, turns, channelCount } = await process();
  const found = segments.map(({ text, channel, speaker }) => [text.trim(), channel, speaker]);
  expect(found).toEqual([
    ['Good morning.', 0, 'SPEAKER_00'],
    ['Hello to you.', 1, 'SPEAKER_01'],
  ]);
  for (const { words, channel, speaker } of segments) {
    expect(words.length).toBeGreaterThan(0);
    for (const word of words) expect([word.channel, word.speaker]).toEqual([channel, speaker]);
  }
  expect(turns.map(({ speaker }) => speaker)).toEqual(['SPEAKER_00', 'SPEAKER_01']);
  expect(channelCount).toBe(2);
});

test('without speakers the channels are still named', async () => {
  const { segments, turns } = await process({ diarize: null });
  expect(segments.map(({ channel, speaker }) => [channel, speaker])).toEqual([
    [0, undefined],
    [1, undefined],
  ]);
  expect(turns).toEqual([]);
});

test('segments are handed on once, in time order, and progress never falls', async () => {
  const told: (readonly Segment[])[] = [];
  const fractions: number[] = [];
  const { segments } = await process(
    {},
    {
      onSegments: (some) => told.push(some),
      onProgress: (fraction) => fractions.push(fraction),
    },
  );
  expect(told).toEqual([segments]);
  expect(fractions.at(-1)).toBe(1);
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
});
