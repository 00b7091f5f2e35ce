import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { openAudio } from '../audio/open-audio.ts';
import { loadConfig } from '../core/config.ts';
import { createLogger } from '../core/logger.ts';
import { runJob } from '../handler/run-job.ts';
import { loadModels, WHISPER_BASE } from '../models/load-models.ts';
import { processRecording } from '../pipeline/process-recording.ts';
import {
  countCharacterErrors,
  countWordErrors,
  type ErrorCounts,
  errorRate,
  sumErrors,
} from './word-errors.ts';

/**
 * Character or word errors by language against human transcripts, and how often the language is found:
 * whole jobs by their defaults in 8 bits and in float32, beside faster-whisper int8 and openai-whisper
 * with the same weights. The recordings lie outside the repository (their licences).
 */
const { values } = parseArgs({
  options: {
    audio: { type: 'string', default: '../shared/audio/world' },
    /** Hugging Face folder of the same weights, for float32 and openai-whisper; left out without it. */
    'fp32-model': { type: 'string' },
    /** CTranslate2 folder of the same weights; faster-whisper is left out without it. */
    'ct2-model': { type: 'string' },
    /** The 8-bit folder; the embedded model by default. */
    model: { type: 'string', default: WHISPER_BASE.folder },
    python: { type: 'string', default: 'python3' },
    language: { type: 'string' },
    /** Prints each text beside its transcript. */
    texts: { type: 'boolean', default: false },
  },
});

const ROOT = join(import.meta.dirname, '..');
const AUDIO = resolve(ROOT, values.audio);
/** Languages without spaces between words, or with spaces that writers disagree on. */
const BY_CHARACTER = new Set(['ko', 'ja', 'zh']);
const { signal } = new AbortController();

interface Recording {
  readonly path: string;
  readonly language: string;
  /** As spoken, and as written where the source has both. */
  readonly transcripts: readonly string[];
}

const Answers = z.array(z.object({ text: z.string(), language: z.string() }));
type Answer = z.output<typeof Answers>[number];

interface System {
  readonly name: string;
  transcribe(recordings: readonly Recording[]): Promise<readonly Answer[]>;
}

if (existsSync(join(AUDIO, 'transcripts.tsv'))) await report();
else process.stdout.write(`no recordings: ${values.audio}/transcripts.tsv is not there\n`);

async function report(): Promise<void> {
  const recordings = await readRecordings();
  const languages = [...new Set(recordings.map(({ language }) => language))];
  const columns = languages.map((language) =>
    BY_CHARACTER.has(language) ? `${language} (characters)` : `${language} (words)`,
  );
  process.stdout.write(`${recordings.length} recordings, no language given\n\n`);
  process.stdout.write(`| system | ${columns.join(' | ')} | language found |\n`);
  process.stdout.write(`|${'---|'.repeat(columns.length + 2)}\n`);
  const rates: Record<string, Record<string, number>> = {};
  for (const { name, transcribe } of systems()) {
    const answers = await transcribe(recordings);
    if (values.texts) printTexts(recordings, answers);
    const byLanguage = languages.map((language) => rateOf(language, recordings, answers));
    const found = recordings.filter(({ language }, i) => answers[i]!.language === language).length;
    const cells = byLanguage.map((rate) => `${(100 * rate).toFixed(1)} %`);
    process.stdout.write(`| ${name} | ${cells.join(' | ')} | ${found} of ${recordings.length} |\n`);
    rates[name] = Object.fromEntries(languages.map((language, i) => [language, byLanguage[i]!]));
  }
  process.stdout.write(`\n${JSON.stringify(rates)}\n`);
}

function systems(): System[] {
  const { 'fp32-model': fp32, 'ct2-model': ct2, model } = values;
  return [
    { name: 'ours, 8 bit', transcribe: (recordings) => ours(recordings, model) },
    ...(fp32 ? [{ name: 'ours, float32', transcribe: ourFolder(fp32) }] : []),
    ...(ct2
      ? [
          { name: 'faster-whisper int8, greedy', transcribe: peer('faster-whisper-greedy', ct2) },
          { name: 'faster-whisper int8, beam 5', transcribe: peer('faster-whisper-beam', ct2) },
        ]
      : []),
    ...(fp32
      ? [{ name: 'openai-whisper float32, greedy', transcribe: peer('openai-whisper', fp32) }]
      : []),
  ];
}

async function readRecordings(): Promise<Recording[]> {
  const table = await readFile(join(AUDIO, 'transcripts.tsv'), 'utf8');
  const [header, ...rows] = table.trimEnd().split('\n');
  const names = header!.split('\t');
  return rows
    .map((row) => Object.fromEntries(row.split('\t').map((cell, i) => [names[i]!, cell])))
    .map(({ file, language, transcript, transcript_written: written }) => ({
      path: join(AUDIO, file!),
      language: language!,
      transcripts: [transcript!, ...(written ? [written] : [])],
    }))
    .filter(({ language }) => values.language === undefined || language === values.language);
}

const ourFolder =
  (folder: string) =>
  (recordings: readonly Recording[]): Promise<Answer[]> =>
    ours(recordings, resolve(ROOT, folder));

/** Whole jobs by their defaults, four at once. */
async function ours(recordings: readonly Recording[], folder: string): Promise<Answer[]> {
  const settings = { device: 'cpu', threads: 0, computeType: 'float32', batchSize: 8 } as const;
  const whisper = { name: basename(folder), folder };
  const models = await loadModels({ ...settings, whisper }, (error) => {
    throw error;
  });
  const limits = { ...loadConfig({}).audio, root: AUDIO };
  const context = {
    signal,
    logger: createLogger('silent', { write: () => {} }),
    onProgress: () => {},
  };
  const answer = async ({ path }: Recording): Promise<Answer> => {
    const output = await runJob(
      { id: 'bench', input: { audio_url: path } },
      {
        openAudio: (source, stop) => openAudio(source, limits, stop),
        transcribe: (waveform, options, hooks, stop) =>
          processRecording(waveform, options, models, hooks, stop),
      },
      context,
    );
    if ('error' in output) throw new Error(output.error.message);
    return { text: output.transcript, language: output.language };
  };
  const answers = new Array<Answer>(recordings.length);
  const waiting = [...recordings.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      answers[next[0]] = await answer(next[1]);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  await models.close();
  return answers;
}

const peer =
  (name: string, folder: string) =>
  async (recordings: readonly Recording[]): Promise<Answer[]> => {
    const workFolder = await mkdtemp(join(tmpdir(), 'stt-languages-'));
    const [files, out] = [join(workFolder, 'files.json'), join(workFolder, 'answers.json')];
    await writeFile(files, JSON.stringify(recordings.map(({ path }) => path)));
    const script = join(ROOT, 'bench/peers/transcribe_files.py');
    execFileSync(values.python, [script, name, resolve(ROOT, folder), files, out], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const answers = Answers.parse(JSON.parse(await readFile(out, 'utf8')));
    await rm(workFolder, { recursive: true });
    return answers;
  };

/** Errors of all recordings of a language together, each against the nearer form of its transcript. */
function rateOf(
  language: string,
  recordings: readonly Recording[],
  answers: readonly Answer[],
): number {
  const counts = recordings.flatMap((recording, i) =>
    recording.language === language ? errorsOf(recording, answers[i]!.text) : [],
  );
  return errorRate(sumErrors(counts));
}

function errorsOf({ language, transcripts }: Recording, text: string): ErrorCounts {
  const count = BY_CHARACTER.has(language) ? countCharacterErrors : countWordErrors;
  const byForm = transcripts.map((transcript) => count(transcript, text));
  return byForm.reduce((best, next) => (errorRate(next) < errorRate(best) ? next : best));
}

function printTexts(recordings: readonly Recording[], answers: readonly Answer[]): void {
  for (const [i, recording] of recordings.entries()) {
    const { text, language } = answers[i]!;
    const rate = errorRate(errorsOf(recording, text)).toFixed(3);
    const [spoken] = recording.transcripts;
    process.stderr.write(
      `${basename(recording.path)} ${language} ${rate}\n  - ${spoken}\n  + ${text}\n`,
    );
  }
}
