import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { harness, JOB, TRANSCRIPT } from './local-harness.ts';

test('test_input.json of the current folder is run; stdout holds the result alone', async () => {
  const { run, stdout, stderr, engine, cwd, fileWith } = await harness();
  await fileWith('test_input.json', JSON.stringify(JOB));
  expect(await run()).toBe(0);
  expect(JSON.parse(stdout.text)).toMatchObject({
    meeting_id: 'meeting_123',
    transcript: TRANSCRIPT,
  });
  expect(stdout.text.endsWith('}\n')).toBe(true);
  expect(stderr.text).toContain('"requestId":"local_test"');
  expect(stderr.text).not.toContain(TRANSCRIPT);
  expect(engine).toMatchObject({ created: 1, closed: 1, roots: [cwd] });
});

test('--test_input is run instead, with its own id', async () => {
  const { run, stdout, stderr, fileWith } = await harness();
  await fileWith('test_input.json', 'not even JSON');
  expect(await run('--test_input', JSON.stringify({ ...JOB, id: 'mine' }))).toBe(0);
  expect(JSON.parse(stdout.text).transcript).toBe(TRANSCRIPT);
  expect(stderr.text).toContain('"requestId":"mine"');
});

test('paths in a job are read below AUDIO_ROOT when it is set', async () => {
  const { run, engine } = await harness({ env: { AUDIO_ROOT: '/data' } });
  await run('--test_input', JSON.stringify(JOB));
  expect(engine.roots).toEqual(['/data']);
});

test.each([
  ['no file', undefined, 1, /test_input\.json was not found/],
  ['no input', '{}', 1, /the job has no input/],
  ['input null', '{"input":null}', 1, /the job has no input/],
  ['no JSON', '{"input":', 2, /test_input\.json is not valid JSON/],
  ['no object', '[]', 2, /must hold an object/],
  ['a bad id', '{"id":7,"input":{}}', 2, /id must be a text/],
])(
  'test_input.json with %s is told and loads no model',
  async (_name, content, exitCode, message) => {
    const { run, stdout, stderr, engine, fileWith } = await harness();
    if (content !== undefined) await fileWith('test_input.json', content);
    expect(await run()).toBe(exitCode);
    expect(stderr.text).toMatch(message);
    expect(stdout.text).toBe('');
    expect(engine.created).toBe(0);
  },
);

test.each([
  [['--help'], /npm start -- FILE/],
  [['--version'], /^1\.2\.3\n$/],
])('%j is answered on stdout without loading a model', async (argv, expected) => {
  const { run, stdout, stderr, engine } = await harness();
  expect(await run(...argv)).toBe(0);
  expect(stdout.text).toMatch(expected);
  expect(stderr.text).toBe('');
  expect(engine.created).toBe(0);
});

test.each([
  [['--nonsense'], /nonsense/],
  [['missing.wav'], /No such file: missing\.wav/],
  [['.'], /Not a file: \./],
  [['--test_input', '{'], /--test_input is not valid JSON/],
  [['--test_input'], /test_input/],
  [['--endpoint', 'abc', '--test_input', '{"input":{}}'], /RUNPOD_API_KEY/],
])('%j is wrong usage: exit code 2, no model, nothing on stdout', async (argv, message) => {
  const { run, stdout, stderr, engine } = await harness();
  expect(await run(...argv)).toBe(2);
  expect(stderr.text).toMatch(message);
  expect(stderr.text).toContain('see --help');
  expect(stdout.text).toBe('');
  expect(engine.created).toBe(0);
});

test('a failed job is a result too, with exit code 1', async () => {
  const { run, stdout, stderr, engine } = await harness();
  expect(await run('--test_input', '{"input":{"langauge":"en"}}')).toBe(1);
  expect(JSON.parse(stdout.text)).toMatchObject({ error: { code: 'INPUT_INVALID' } });
  expect(stderr.text).toContain('local_test: INPUT_INVALID: unknown field langauge');
  expect(engine.closed).toBe(1);
});

test('a model that cannot be loaded is told with its code', async () => {
  const createServices = async () => {
    throw new SttError('MODEL_NOT_FOUND', 'The model was not found');
  };
  const { run, stdout, stderr } = await harness({ createServices });
  expect(await run('--test_input', JSON.stringify(JOB))).toBe(1);
  expect(stderr.text).toContain('MODEL_NOT_FOUND: The model was not found');
  expect(stdout.text).toBe('');
});

test('an abort ends the jobs with exit code 1', async () => {
  const { run, stdout, controller, engine } = await harness();
  controller.abort();
  expect(await run('--test_input', JSON.stringify(JOB))).toBe(1);
  expect(JSON.parse(stdout.text)).toMatchObject({ error: { code: 'JOB_CANCELLED' } });
  expect(engine.closed).toBe(1);
});

test('on a terminal the bar stays on stderr', async () => {
  const { run, stdout, stderr } = await harness({ isTerminal: true });
  expect(await run('--test_input', JSON.stringify(JOB))).toBe(0);
  expect(JSON.parse(stdout.text).transcript).toBe(TRANSCRIPT);
  expect(stdout.text).not.toContain('\u001b');
  expect(stderr.text).toContain('100 %');
});
