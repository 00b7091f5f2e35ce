import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, parse, relative, resolve } from 'node:path';
import { respell } from '../../audio/path-source.ts';
import type { Job } from '../job.ts';
import type { FileArguments, JobOrigin } from './arguments.ts';
import { Refusal } from './refusal.ts';

export interface LocalJob {
  readonly job: Job;
  /** What the person calls it: the file as it was typed, or the job's id. */
  readonly name: string;
  /** The only folder below which the job may read files. */
  readonly audioRoot: string;
}

export interface Folders {
  readonly cwd: string;
  /** For jobs with a path in `audio_url`. */
  readonly audioRoot: string;
}

const TEST_INPUT_FILE = 'test_input.json';
const DEFAULT_JOB_ID = 'local_test';

/**
 * The jobs to run, in order. A FILE may lie anywhere: its own folder is its job's audio root.
 * @throws {Refusal} before anything runs.
 */
export async function readJobs(origin: JobOrigin, folders: Folders): Promise<LocalJob[]> {
  switch (origin.kind) {
    case 'files':
      return Promise.all(
        origin.paths.map(async (path, index) => {
          const realPath = await realFile(path, folders.cwd);
          return fileJob(`local_${index + 1}`, path, realPath, origin);
        }),
      );
    case 'json':
      return [jsonJob(origin.text, '--test_input', folders)];
    case 'test-input-file':
      return [jsonJob(await readTestInput(folders.cwd), TEST_INPUT_FILE, folders)];
  }
}

function fileJob(
  id: string,
  name: string,
  realPath: string,
  { language, languages, task, format }: FileArguments,
): LocalJob {
  const input = { audio_url: realPath, language, languages, task, output_format: format };
  return { job: { id, input }, name, audioRoot: dirname(realPath) };
}

async function realFile(path: string, cwd: string): Promise<string> {
  const asked = resolve(cwd, path);
  const { root } = parse(asked);
  const realPath = await respell(relative(root, asked), root)
    .then((spelled) => realpath(spelled))
    .catch(() => undefined);
  if (realPath === undefined) throw new Refusal(2, `No such file: ${path}`);
  if (!(await stat(realPath)).isFile()) throw new Refusal(2, `Not a file: ${path}`);
  return realPath;
}

async function readTestInput(cwd: string): Promise<string> {
  try {
    return await readFile(join(cwd, TEST_INPUT_FILE), 'utf8');
  } catch (thrown) {
    const message = `${TEST_INPUT_FILE} was not found in the current folder; --help tells more`;
    throw new Refusal(1, message, { cause: thrown });
  }
}

function jsonJob(text: string, source: string, { audioRoot }: Folders): LocalJob {
  const { id = DEFAULT_JOB_ID, input, ...extra } = parseObject(text, source);
  if (typeof id !== 'string' || id === '') {
    throw new Refusal(2, `${source}: id must be a text that is not empty`);
  }
  if (input === undefined || input === null) {
    throw new Refusal(1, `${source}: the job has no input: {"input": {…}} is expected`);
  }
  return { job: { ...extra, id, input }, name: id, audioRoot };
}

function parseObject(text: string, source: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new Refusal(2, `${source} is not valid JSON`, { cause: thrown });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Refusal(2, `${source} must hold an object: {"input": {…}}`);
}

/** `talk` of `a/talk.wav`; a second `talk` becomes `talk-2`, so that no result is overwritten. */
export function resultNames(jobs: readonly LocalJob[]): string[] {
  const taken = new Set<string>();
  return jobs.map(({ name }) => {
    const stem = basename(name).replace(/(?<=.)\.[^.]+$/, '');
    let unique = stem;
    for (let copy = 2; taken.has(unique); copy++) unique = `${stem}-${copy}`;
    taken.add(unique);
    return unique;
  });
}
