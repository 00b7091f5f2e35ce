import { parseArgs } from 'node:util';
import type { Task } from '../../pipeline/contracts.ts';
import { candidatesField, languageField } from '../languages.ts';
import { OUTPUT_FORMATS, type OutputFormat } from '../schema.ts';
import { Refusal } from './refusal.ts';

export interface FileArguments {
  readonly paths: readonly string[];
  /** Tag. */
  readonly language: string | null;
  /** Tags of those that may be spoken; none: all. */
  readonly languages: readonly string[];
  readonly task: Task;
  readonly format: OutputFormat;
  readonly outFolder: string | undefined;
}

/** Where the jobs come from: recordings, a JSON text, or `test_input.json`. */
export type JobOrigin =
  | ({ readonly kind: 'files' } & FileArguments)
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'test-input-file' };

export type LocalCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly origin: JobOrigin;
      readonly endpointId: string | undefined;
    };

const OPTIONS = {
  test_input: { type: 'string' },
  language: { type: 'string' },
  languages: { type: 'string' },
  task: { type: 'string' },
  format: { type: 'string' },
  out: { type: 'string' },
  endpoint: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

const FILE_OPTIONS = ['language', 'languages', 'task', 'format', 'out'] as const;
const TASKS = ['transcribe', 'translate'] as const;

/**
 * What the arguments after the script's name ask for.
 * @throws {Refusal} with exit code 2, naming the argument.
 */
export function parseLocalArguments(argv: readonly string[]): LocalCommand {
  const { values, positionals: paths } = parse(argv);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  if (values.endpoint === '') throw new Refusal(2, '--endpoint needs the ID of an endpoint');
  return { kind: 'run', origin: originOf(values, paths), endpointId: values.endpoint };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : 'the arguments cannot be read';
    throw new Refusal(2, message, { cause: thrown });
  }
}

type Values = ReturnType<typeof parse>['values'];

function originOf(values: Values, paths: readonly string[]): JobOrigin {
  if (paths.length === 0) {
    const misplaced = FILE_OPTIONS.find((name) => values[name] !== undefined);
    if (misplaced) throw new Refusal(2, `--${misplaced} needs a FILE; a job has its own settings`);
    if (values.test_input === undefined) return { kind: 'test-input-file' };
    return { kind: 'json', text: values.test_input };
  }
  if (values.test_input !== undefined) {
    throw new Refusal(2, 'Give either FILE arguments or --test_input, not both');
  }
  if (values.out === '') throw new Refusal(2, '--out needs a folder');
  return {
    kind: 'files',
    paths,
    language: languageOf(values.language),
    languages: candidatesOf(values.languages),
    task: oneOf(TASKS, 'task', values.task ?? 'transcribe'),
    format: oneOf(OUTPUT_FORMATS, 'format', values.format ?? 'json'),
    outFolder: values.out,
  };
}

function languageOf(text: string | undefined): string | null {
  const { success, data } = languageField.safeParse(text);
  if (success) return data?.tag ?? null;
  throw new Refusal(2, `--language: no language is called ${text}`);
}

function candidatesOf(text: string | undefined): string[] {
  const { success, data, error } = candidatesField.safeParse(text?.split(','));
  if (success) return data.map(({ tag }) => tag);
  throw new Refusal(2, `--languages: ${error.issues[0]!.message}`);
}

function oneOf<T extends string>(choices: readonly T[], option: string, value: string): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new Refusal(2, `--${option} is one of ${choices.join(', ')}`);
  return choice;
}
