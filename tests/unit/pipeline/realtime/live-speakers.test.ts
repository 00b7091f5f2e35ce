import { expect, test } from 'vitest';
import { stepLiveSession } from '../../../../pipeline/realtime/live-session.ts';
import { type LiveSpeakers, whoSpeaks } from '../../../../pipeline/realtime/live-speakers.ts';
import {
  initialLiveState,
  type LiveEvent,
  type LiveInput,
} from '../../../../pipeline/realtime/session-state.ts';
import { type WindowVoice, windowVoice } from '../../../../pipeline/realtime/window-voice.ts';

const SEC = 16_000;
const limit = { voice: 0.1, excerpt: 0.2 };

/** A voice in the plane; a right angle between two of them is a distance of 1. */
const voice = (degrees: number, count = 2, model = 'encoder'): WindowVoice => {
  const angle = (degrees * Math.PI) / 180;
  const embedding = [Math.cos(angle), Math.sin(angle)];
  return { model, embedding, count, sameSpeaker: limit };
};

/** Labels of voices in turn, each of a whole utterance; the state is stored in between. */
function labels(...voices: readonly WindowVoice[]): (string | null)[] {
  let speakers: LiveSpeakers = [];
  return voices.map((next) => {
    const labelled = whoSpeaks(JSON.parse(JSON.stringify(speakers)), next, true);
    speakers = labelled.speakers;
    return labelled.speaker;
  });
}

test('people are numbered as they come, and known again', () => {
  expect(labels(voice(0), voice(90), voice(10), voice(80), voice(180))).toEqual([
    'SPEAKER_00',
    'SPEAKER_01',
    'SPEAKER_00',
    'SPEAKER_01',
    'SPEAKER_02',
  ]);
});

test('a short remark is somebody known or nobody, never someone new', () => {
  expect(labels(voice(0, 0.7), voice(0), voice(90, 0.7), voice(5, 0.7))).toEqual([
    null,
    'SPEAKER_00',
    null,
    'SPEAKER_00',
  ]);
});

test('the more was heard of somebody, the less others are taken for them', () => {
  const much = Array.from({ length: 10 }, () => voice(0));
  expect(labels(voice(0), voice(40)).at(-1)).toBe('SPEAKER_00');
  expect(labels(...much, voice(50)).at(-1)).toBe('SPEAKER_01');
});

test('voices of another model are not compared', () => {
  expect(labels(voice(0), voice(0, 2, 'other'), voice(0))).toEqual([
    'SPEAKER_00',
    'SPEAKER_01',
    'SPEAKER_00',
  ]);
});

test('an utterance that goes on does not change what a person sounds like', () => {
  const { speakers } = whoSpeaks([], voice(0), false);
  expect(whoSpeaks(speakers, voice(20), false).speakers).toBe(speakers);
  expect(whoSpeaks(speakers, voice(20), true).speakers[0]!.count).toBe(4);
});

test('only a session that asks for it asks for voices, and its final words say who speaks', () => {
  const play = (diarize: boolean): LiveEvent[] => {
    let state = initialLiveState('en', diarize);
    const events: LiveEvent[] = [];
    const give = (input: LiveInput) => {
      const step = stepLiveSession(state, input);
      ({ state } = step);
      events.push(...step.events);
      return step.request;
    };
    give({ type: 'audio', probabilities: Array<number>(20).fill(0.9), frameSamples: SEC / 10 });
    give({ type: 'finalize' });
    const words = [{ text: ' yes', range: { start: 0, end: SEC }, confidence: 1 }];
    for (let request = state.inFlight; request !== null; request = state.inFlight) {
      expect(request.diarize).toBe(diarize);
      const heard = { words, language: 'en', languageProbability: 1 };
      const result = { ...heard, ...(diarize && { voice: voice(0) }) };
      give({ type: 'result', seq: request.seq, result });
    }
    return events;
  };
  const speakersOf = (events: readonly LiveEvent[]) =>
    events.flatMap((event) => (event.type === 'final' ? event.words : [])).map((w) => w.speaker);
  expect(speakersOf(play(true))).toEqual(['SPEAKER_00']);
  expect(speakersOf(play(false))).toEqual([undefined]);
});

test('the voice of a window is that of its end, and none where it is too short', async () => {
  const heard: Float32Array[] = [];
  const model = {
    ...{ name: 'encoder', windowSamples: 10, dimensions: 2, batchSize: 1 },
    sameSpeaker: { distance: limit.voice, scatter: limit.excerpt, changePoint: 0 },
    knownSpeaker: { distance: 0, margin: 0, minSamples: 0 },
    embed: async (excerpts: Float32Array<ArrayBuffer>) => {
      const rows = Array.from({ length: excerpts.length / 10 }, (_, row) =>
        excerpts.slice(10 * row, 10 * (row + 1)),
      );
      heard.push(...rows);
      return rows.map(() => Float32Array.of(0, 1));
    },
  };
  const { signal } = new AbortController();
  const ramp = Float32Array.from({ length: 100 }, (_, sample) => sample);
  expect(await windowVoice(ramp, model, signal)).toEqual({
    ...{ model: 'encoder', embedding: [0, 1], count: 2, sameSpeaker: limit },
  });
  expect(heard.map((excerpt) => [excerpt[0], excerpt.at(-1)])).toEqual([
    [80, 89],
    [85, 94],
    [90, 99],
  ]);
  expect(await windowVoice(ramp.slice(0, 5), model, signal)).toBeNull();
  await windowVoice(ramp.slice(0, 7), model, signal);
  expect([...heard.at(-1)!]).toEqual([0, 1, 2, 3, 4, 5, 6, 0, 1, 2]);
});
