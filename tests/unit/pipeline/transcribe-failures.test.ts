import { expect, test } from 'vitest';
import { type SampleRange, secToSamples } from '../../../audio/time.ts';
import { SttError } from '../../../core/errors.ts';
import type { DecodingRules } from '../../../pipeline/contracts.ts';
import { ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import {
  chunkNumber,
  chunksOfSpeech,
  prepare,
  textsOf,
  untilAborted,
} from './transcribe-scenario.ts';

const isSecondChunk = ({ waveform }: { readonly waveform: Float32Array }): boolean =>
  waveform[0]! > 30 && waveform[0]! < 50;

test('a chunk that fails once is recognised at the second try, and nothing is said of it', async () => {
  let failures = 0;
  const { run } = prepare({
    script: (request, signal) => {
      if (isSecondChunk(request) && failures++ === 0) throw new Error('engine');
      return chunkNumber(request, signal);
    },
  });
  const { segments, warnings } = await run();
  expect(textsOf(segments)).toEqual(['chunk 0', 'chunk 1', 'chunk 2']);
  expect(warnings).toEqual([]);
});

test('a chunk that fails twice is missing, and a warning tells where', async () => {
  const { run } = prepare({
    script: (request, signal) => {
      if (isSecondChunk(request)) throw new SttError('GPU_OUT_OF_MEMORY', 'full');
      return chunkNumber(request, signal);
    },
  });
  const { segments, warnings } = await run();
  expect(textsOf(segments)).toEqual(['chunk 0', 'chunk 2']);
  expect(warnings).toMatchObject([{ code: 'CHUNK_FAILED', count: 1 }]);
  const [{ start, end }] = warnings[0]!.ranges as [SampleRange];
  expect(Math.abs(start - secToSamples(39.8))).toBeLessThanOrEqual(512);
  expect(Math.abs(end - secToSamples(60.2))).toBeLessThanOrEqual(512);
});

test('when every chunk fails the job fails with the first error', async () => {
  const { run, recognizer } = prepare({
    script: () => {
      throw new Error(`engine ${recognizer.requests.length}`);
    },
  });
  await expect(run()).rejects.toThrow(/^engine [1-3]$/);
  expect(recognizer.requests).toHaveLength(6);
});

test('an engine that crashes again fails the job, and stops the other chunks', async () => {
  const { run, recognizer } = prepare({
    speech: chunksOfSpeech(9),
    script: ({ waveform }, signal) => {
      if (waveform[0]! > 30) throw new SttError('ENGINE_CRASHED', 'gone');
      return untilAborted(signal);
    },
  });
  await expect(run()).rejects.toThrow('gone');
  expect(recognizer.inFlight).toBe(0);
});

test('what is wrong with the job itself is not tried again', async () => {
  const { run, recognizer } = prepare({
    speech: chunksOfSpeech(1),
    script: () => {
      throw new SttError('INPUT_INVALID', 'too many tokens');
    },
  });
  await expect(run()).rejects.toThrow('too many tokens');
  expect(recognizer.requests).toHaveLength(1);
});

test('a failing voice activity model fails the job', async () => {
  const { run, voiceActivity } = prepare();
  voiceActivity.beforePush = async () => {
    throw new Error('vad');
  };
  await expect(run()).rejects.toThrow('vad');
});

test('a waveform that cannot be read fails the job', async () => {
  const { run, waveform } = prepare();
  waveform.read = async () => {
    throw new Error('disk');
  };
  await expect(run()).rejects.toThrow('disk');
});

test('an answer that comes after the abort is not handed on', async () => {
  const handedOn: string[] = [];
  const { run, abort, recognizer } = prepare({
    script: () => ({ text: 'too late' }),
    hooks: { onSegments: (segments) => handedOn.push(...textsOf(segments)) },
  });
  const textOf = recognizer.textOf.bind(recognizer);
  recognizer.textOf = (tokenIds) => {
    abort.abort();
    return textOf(tokenIds);
  };
  await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  expect(handedOn).toEqual([]);
});

test('an aborted signal stops before anything is read', async () => {
  const { run, abort, waveform } = prepare();
  abort.abort();
  await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  expect(waveform.readRanges).toEqual([]);
});

test('an abort while speech is searched ends the job', async () => {
  const { run, abort, voiceActivity, recognizer } = prepare();
  voiceActivity.beforePush = (signal) => {
    setImmediate(() => abort.abort());
    return untilAborted(signal);
  };
  await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  expect(recognizer.requests).toEqual([]);
});

test('an abort while the language is detected ends the job', async () => {
  const { run, abort, recognizer } = prepare({
    script: (_, signal) => {
      setImmediate(() => abort.abort());
      return untilAborted(signal);
    },
    options: { language: null },
  });
  await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  expect(recognizer.requests).toHaveLength(2);
  expect(recognizer.inFlight).toBe(0);
});

test('an abort while chunks are recognised ends the job, with nothing left in flight', async () => {
  const handedOn: string[] = [];
  const { run, abort, recognizer } = prepare({
    speech: chunksOfSpeech(9),
    script: (_, signal) => {
      if (recognizer.inFlight === 4) setImmediate(() => abort.abort());
      return untilAborted(signal);
    },
    hooks: { onSegments: (segments) => handedOn.push(...textsOf(segments)) },
  });
  await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  expect(recognizer.requests).toHaveLength(4);
  expect(recognizer.inFlight).toBe(0);
  expect(handedOn).toEqual([]);
});

test('an abort between two temperatures ends the job', async () => {
  const { run, abort, recognizer } = prepare({
    speech: chunksOfSpeech(1),
    script: () => {
      if (recognizer.requests.length === 2) abort.abort();
      return { text: 'mumble', avgLogProb: -2 };
    },
  });
  await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  expect(recognizer.requests).toHaveLength(2);
});

test('voice activity that fails once is asked again, and nothing is said of it', async () => {
  const { run, voiceActivity } = prepare({ speech: chunksOfSpeech(5) });
  let pushes = 0;
  voiceActivity.beforePush = async () => {
    if (++pushes % 2 === 1) throw new SttError('ENGINE_CRASHED', 'once');
  };
  const { segments, warnings } = await run();
  expect(textsOf(segments)).toHaveLength(5);
  expect(warnings).toEqual([]);
});

test('a part in which voice activity fails twice is recognised as a whole, and a warning tells where', async () => {
  const { run, recognizer, voiceActivity } = prepare({ speech: chunksOfSpeech(5) });
  let pushes = 0;
  voiceActivity.beforePush = async () => {
    pushes += 1;
    if (pushes === 2 || pushes === 3) throw new Error('the second minute');
  };
  const { warnings } = await run();
  const range = { start: secToSamples(60), end: secToSamples(120) };
  expect(warnings).toMatchObject([{ code: 'VOICE_ACTIVITY_FAILED', count: 1, ranges: [range] }]);
  const heard = recognizer.requests.reduce((sum, { waveform }) => sum + waveform.length, 0);
  expect(heard).toBeGreaterThan(secToSamples(60 + 3 * 20));
});

test('voice activity that fails from the start, or is gone for good, fails the job', async () => {
  for (const [failsFrom, code] of [
    [1, 'INTERNAL'],
    [2, 'ENGINE_CRASHED'],
  ] as const) {
    const { run, voiceActivity } = prepare({ speech: chunksOfSpeech(5) });
    let pushes = 0;
    voiceActivity.beforePush = async () => {
      if (++pushes >= failsFrom) throw new SttError(code, 'broken');
    };
    await expect(run()).rejects.toMatchObject({ code });
  }
});

test('rules that the recogniser cannot be prepared for fail the job before anything is recognised', async () => {
  const refusal = new SttError('GPU_OUT_OF_MEMORY', 'no room for the search');
  const recognizer = Object.assign(new ScriptedRecognizer(chunkNumber), {
    prepare: ({ beamSize }: DecodingRules) =>
      beamSize === 5 ? Promise.reject(refusal) : Promise.resolve(),
  });
  const { run } = prepare({ recognizer, options: { rules: { beamSize: 5 } } });
  await expect(run()).rejects.toBe(refusal);
  expect(recognizer.requests).toEqual([]);
  expect((await prepare({ recognizer }).run()).segments).toHaveLength(3);
});
