import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isTextFormat } from '../formats/format-segments.ts';
import type { OutputFormat } from '../schema.ts';
import type { JobOrigin } from './arguments.ts';
import { type LocalJob, resultNames } from './local-jobs.ts';
import type { OutputStream } from './progress-display.ts';

/** Hands a job's output to the person who asked for it. */
export type WriteResult = (output: object, index: number) => Promise<void>;

const EXTENSIONS: Readonly<Record<OutputFormat, string>> = {
  json: 'json',
  verbose: 'json',
  verbose_json: 'json',
  text: 'txt',
  srt: 'srt',
  vtt: 'vtt',
  tsv: 'tsv',
  rttm: 'rttm',
  ctm: 'ctm',
};

/**
 * Files with `--out`, else stdout: one indented document for one job, one line of JSON for each of
 * several, or the chosen format. A job of JSON is always answered in JSON.
 */
export function createResultWriter(
  origin: JobOrigin,
  jobs: readonly LocalJob[],
  { stdout, cwd }: { readonly stdout: OutputStream; readonly cwd: string },
): WriteResult {
  if (origin.kind !== 'files') return (output) => print(stdout, `${indented(output)}\n`);
  const { format, outFolder } = origin;
  if (outFolder !== undefined) {
    const names = resultNames(jobs).map((name) => `${name}.${EXTENSIONS[format]}`);
    const folder = resolve(cwd, outFolder);
    return async (output, index) => {
      if (isFailure(output)) return;
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, names[index]!), documentOf(output, format));
      await print(stdout, `${join(outFolder, names[index]!)}\n`);
    };
  }
  const isList = jobs.length > 1 && !isTextFormat(format);
  return async (output, index) => {
    if (isList) await print(stdout, `${JSON.stringify({ file: jobs[index]!.name, ...output })}\n`);
    else if (!isTextFormat(format)) await print(stdout, documentOf(output, format));
    else if (!isFailure(output)) await print(stdout, documentOf(output, format));
  };
}

/** An output with a top-level `error` is a failed job, here as on RunPod. */
export const isFailure = (output: object): output is { readonly error: unknown } =>
  'error' in output && Boolean(output.error);

function documentOf(output: object, format: OutputFormat): string {
  const isWritten = 'formatted' in output && typeof output.formatted === 'string';
  return isTextFormat(format) && isWritten ? String(output.formatted) : `${indented(output)}\n`;
}

const indented = (output: object): string => JSON.stringify(output, undefined, 2);

/** Settles when the text is out, so that the process may end right after. */
const print = (stream: OutputStream, text: string): Promise<void> =>
  new Promise((done) => {
    stream.write(text, () => done());
  });
