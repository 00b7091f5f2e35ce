import { expect, test } from 'vitest';
import { chunksOfSpeech, prepare, textsOf, untilAborted } from './transcribe-scenario.ts';

test('a chunk that fails fails the job with its error, and stops the other chunks', async () => {
  let stopped = 0;
  const { run, recognizer } = prepare({
    speech: chunksOfSpeech(9),
    script: async ({ waveform }, signal) => {
      if (waveform[0]! > 50) throw new Error('engine');
      return untilAborted(signal).finally(() => {
        stopped += 1;
      });
    },
  });
  await expect(run()).rejects.toThrow('engine');
  expect(recognizer.inFlight).toBe(0);
  expect(stopped).toBe(2);
  expect(recognizer.requests.length).toBeLessThanOrEqual(4);
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
  expect(recognizer.requests).toHaveLength(1);
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
