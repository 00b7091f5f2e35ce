import { describe, expect, test } from 'vitest';
import { exactFiles, needsOf } from '../../../models/hub/needs.ts';
import { isCommit, parseReference } from '../../../models/hub/reference.ts';
import {
  ALIGNMENT_MODELS,
  MODEL_ALIASES,
  pinnedModel,
  WHISPER_MODELS,
} from '../../../models/registry.ts';

describe('a model reference', () => {
  test.each([
    ['distil-small.en', 'distil-whisper/distil-small.en', 'main'],
    ['align-ja', 'jonatasgrosman/wav2vec2-large-xlsr-53-japanese', 'refs/pr/2'],
    ['turbo@0.1', 'openai/whisper-large-v3-turbo', '0.1'],
    ['someone/model', 'someone/model', 'main'],
    ['someone/model@refs/pr/3', 'someone/model', 'refs/pr/3'],
    [
      'jonatasgrosman/wav2vec2-large-xlsr-53-japanese',
      'jonatasgrosman/wav2vec2-large-xlsr-53-japanese',
      'refs/pr/2',
    ],
  ])('%s is %s at %s', (reference, repo, revision) => {
    expect(parseReference(reference)).toEqual({ kind: 'repo', repo, revision });
  });

  test('by the registry is its commit, and the branch where that is not to be had', () => {
    for (const reference of ['large', 'large-v3', 'openai/whisper-large-v3']) {
      expect(parseReference(reference)).toEqual({
        kind: 'repo',
        repo: 'openai/whisper-large-v3',
        revision: WHISPER_MODELS['large-v3'].revision,
        branch: 'main',
      });
    }
    expect(parseReference('align-zh')).toMatchObject({ branch: 'refs/pr/1' });
  });

  test.each(['/models/whisper', './whisper', '../whisper', '.', '/a@b'])(
    '%s is a folder',
    (path) => {
      expect(parseReference(path)).toEqual({ kind: 'folder', path });
    },
  );

  test.each(['', 'huge', 'a/b/c', 'a/../b', 'a/b@', 'a/b@../c', 'a b/c'])(
    '"%s" is an error that says what is expected',
    (reference) => {
      expect(() => parseReference(reference)).toThrow(/A model is a folder .* or one of tiny,/);
    },
  );
});

describe('the registry', () => {
  const models = [WHISPER_MODELS, ALIGNMENT_MODELS].flatMap((table) => Object.values(table));

  test('names each model so that it can be resolved', () => {
    for (const alias of MODEL_ALIASES) {
      expect(parseReference(alias)).toMatchObject({ kind: 'repo', repo: pinnedModel(alias)!.repo });
    }
    expect(MODEL_ALIASES).toHaveLength(models.length);
  });

  test('pins by a branch, a pull request or a full commit, never by a short hash', () => {
    for (const { revision, branch } of models) {
      expect(revision === 'main' || revision.startsWith('refs/') || isCommit(revision)).toBe(true);
      expect(isCommit(branch)).toBe(false);
    }
  });

  test('knows the files of every model', async () => {
    const paths = new Set(['onnx/model.onnx']);
    const view = { paths, readText: () => Promise.resolve('') };
    expect((await needsOf(WHISPER_MODELS.tiny)(view)).missing).toEqual([
      'tokenizer.json',
      'config.json',
      'model.safetensors',
    ]);
    const slow = { ...view, paths: new Set(['vocab.json', 'merges.txt', 'added_tokens.json']) };
    expect(await needsOf(WHISPER_MODELS.tiny)(slow)).toMatchObject({
      files: ['vocab.json', 'merges.txt'],
      missing: ['config.json', 'model.safetensors'],
    });
    expect((await needsOf(ALIGNMENT_MODELS.zh)(view)).missing).toContain('vocab.json');
  });
});

test('what a reader cannot do without becomes visible last', async () => {
  const view = { paths: new Set(['a', 'b', 'c', 'd']), readText: () => Promise.resolve('') };
  const { files } = await exactFiles(['a', 'b'], ['c', 'x'])(view);
  expect(files).toEqual(['c', 'a', 'b']);
});
