import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { openAudio } from '../audio/open-audio.ts';
import { samplesToSec } from '../audio/time.ts';
import { loadConfig } from '../core/config.ts';
import { type LoadedModels, loadModels } from '../models/load-models.ts';
import { locateWhisper } from '../models/locate-whisper.ts';
import { attentionWords } from '../pipeline/alignment/attention-words.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { transcribe } from '../pipeline/transcribe.ts';
import { type JoinedUtterances, joinUtterances, type Utterance } from './joined-utterances.ts';
import { type PlacedWord, pauseErrors, type SpokenPart, sameWords } from './word-time-errors.ts';

/**
 * Word times of cross-attention beside openai-whisper's on the same recordings and weights, and beside
 * the truth where utterances are joined with known pauses. The recordings are not part of the project.
 */
const { values } = parseArgs({
  options: {
    audio: { type: 'string', default: '../shared/audio/world' },
    model: { type: 'string', default: '../shared/models/whisper-base' },
    languages: { type: 'string', default: 'ko,ja,zh' },
    /** Every other recording: constants are chosen on one half and reported on the other. */
    half: { type: 'string', default: 'all' },
    python: { type: 'string', default: 'python3' },
    /** Where openai-whisper's answer is kept for the next run; it takes minutes. */
    reference: { type: 'string' },
    details: { type: 'boolean', default: false },
  },
});

const ROOT = join(import.meta.dirname, '..');
const AUDIO = resolve(ROOT, values.audio);
const MODEL = resolve(ROOT, values.model);
const PAUSES_SEC = [0.5, 1, 2];
const LONGEST_JOINED_SEC = 28;
const PAUSE_HEADER =
  '| whose | language | words | start of the first word behind a pause, median and p95 | within 0.2 s | end of the last word before a pause, median and p95 | words in a pause | across one | on the wrong side |\n|---|---|---|---|---|---|---|---|---|\n';
const AGREEMENT_HEADER =
  '| weights | language | words | in both | start, median and p95 apart | end, median and p95 apart |\n|---|---|---|---|---|---|\n';
const { signal } = new AbortController();

const Reference = z.object({
  words: z.array(
    z.array(
      z.object({
        words: z.array(z.object({ word: z.string(), start: z.number(), end: z.number() })),
      }),
    ),
  ),
});

interface Clip extends JoinedUtterances {
  readonly language: string;
}

if (!existsSync(join(AUDIO, 'transcripts.tsv')) || !existsSync(join(MODEL, 'config.json'))) {
  process.stderr.write(
    'Not measured: --audio needs a folder with transcripts.tsv, --model one with a multilingual Whisper\n',
  );
  process.exit(2);
}
const workFolder = await mkdtemp(join(tmpdir(), 'stt-word-times-'));
try {
  await main();
} finally {
  await rm(workFolder, { recursive: true });
}

async function main(): Promise<void> {
  const byLanguage = await Promise.all(
    values.languages.split(',').map(async (language) => ({
      language,
      utterances: await readUtterances(language),
    })),
  );
  const single = byLanguage.flatMap(({ language, utterances }) =>
    utterances.map((utterance): Clip => ({ ...joinUtterances([utterance], [0]), language })),
  );
  const joined = byLanguage.flatMap(({ language, utterances }) =>
    groups(utterances).map((group): Clip => ({ ...joinUtterances(group, PAUSES_SEC), language })),
  );
  const theirs = await askOpenaiWhisper([...single, ...joined]);
  process.stdout.write(`${single.length} recordings, ${joined.length} of them joined\n\n`);
  process.stdout.write(`${PAUSE_HEADER}`);
  report('openai-whisper, float32', joined, theirs.slice(single.length));
  const agreement: string[] = [];
  for (const [name, computeType] of [
    ['float32', 'float32'],
    ['8 bit', 'int8'],
  ] as const) {
    const hub = { ...loadConfig(process.env).hub, offline: true };
    const whisper = await locateWhisper({ model: MODEL, computeType, device: 'cpu' }, hub, signal);
    const settings = { device: 'cpu', threads: 0, computeType: 'float32', batchSize: 8 } as const;
    const models = await loadModels({ ...settings, whisper }, () => {});
    const windows = await Promise.all(single.map((clip) => windowWords(clip, models)));
    agreement.push(...agreementRows(name, single, windows, theirs));
    report(`ours, ${name}`, joined, await inTurn(joined, (clip) => jobWords(clip, models)));
    await models.close();
  }
  process.stdout.write(`\n${AGREEMENT_HEADER}${agreement.join('')}`);
}

async function inTurn<In, Out>(
  items: readonly In[],
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

async function readUtterances(language: string): Promise<Utterance[]> {
  const table = await readFile(join(AUDIO, 'transcripts.tsv'), 'utf8');
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([, rowLanguage]) => rowLanguage === language)
    .filter((_, index) => values.half === 'all' || (index % 2 === 0) === (values.half === 'even'));
  const limits = { ...loadConfig({}).audio, root: AUDIO };
  return inTurn(rows, async ([path = '', , , text = '']) => {
    const spooled = await openAudio({ kind: 'path', path }, limits, signal);
    const waveform = await spooled.read({ start: 0, end: spooled.sampleCount });
    await spooled.close();
    return { waveform, text };
  });
}

/** As many as fit into a window of Whisper, in an order that mixes the voices. */
function groups(utterances: readonly Utterance[]): Utterance[][] {
  const mixed = utterances.map((_, i) => utterances[(i * 7) % utterances.length]!);
  const lengthSec = (group: readonly Utterance[]): number =>
    group.reduce((sum, { waveform }) => sum + samplesToSec(waveform.length) + 2, 0);
  const found: Utterance[][] = [[]];
  for (const utterance of mixed) {
    if (lengthSec([...found.at(-1)!, utterance]) > LONGEST_JOINED_SEC) found.push([]);
    found.at(-1)!.push(utterance);
  }
  return found.filter((group) => group.length > 1);
}

async function askOpenaiWhisper(clips: readonly Clip[]): Promise<PlacedWord[][]> {
  const kept = values.reference;
  if (kept === undefined || !existsSync(kept)) {
    const listed = clips.map(({ language }, index) => ({
      path: join(workFolder, `${index}.f32`),
      language,
    }));
    await Promise.all(clips.map(({ waveform }, i) => writeFile(listed[i]!.path, waveform)));
    await writeFile(join(workFolder, 'clips.json'), JSON.stringify(listed));
    const answer = kept ?? join(workFolder, 'answer.json');
    const script = join(ROOT, 'bench/peers/openai_whisper_reference.py');
    const args = [script, MODEL, join(workFolder, 'clips.json'), answer, 'ko', 'words'];
    execFileSync(values.python, args, { stdio: 'inherit' });
  }
  const path = kept ?? join(workFolder, 'answer.json');
  const { words } = Reference.parse(JSON.parse(await readFile(path, 'utf8')));
  return words.map((segments) =>
    segments
      .flatMap((segment) => segment.words)
      .map(({ word, start, end }) => ({ text: word, startSec: start, endSec: end })),
  );
}

/** Of the whole clip as one window, as openai-whisper has it. */
async function windowWords({ waveform, language }: Clip, { recognizer }: LoadedModels) {
  const request = { waveform, language, task: 'transcribe', prompt: null, temperature: 0 } as const;
  const recognition = await recognizer.recognize(
    { ...request, timestamps: true, attention: true },
    signal,
  );
  return attentionWords(recognition, recognition.attention!, (ids) => recognizer.textOf(ids))
    .flat()
    .map(({ text, start, end }): PlacedWord => {
      return { text, startSec: samplesToSec(start), endSec: samplesToSec(end) };
    });
}

/** Of a job: with voice activity, chunks and what is done to the words behind them. */
async function jobWords({ waveform, language }: Clip, models: LoadedModels): Promise<PlacedWord[]> {
  const source = {
    sampleCount: waveform.length,
    read: ({ start, end }: { start: number; end: number }) =>
      Promise.resolve(waveform.slice(start, end)),
  };
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language };
  const { segments } = await transcribe(source, options, models, {}, signal);
  return segments
    .flatMap(({ words }) => words)
    .map(({ text, range }) => {
      return { text, startSec: samplesToSec(range.start), endSec: samplesToSec(range.end) };
    });
}

function report(whose: string, clips: readonly Clip[], words: readonly PlacedWord[][]): void {
  for (const language of new Set(clips.map((clip) => clip.language))) {
    const errors = clips.flatMap((clip, index) =>
      clip.language === language ? [pauseErrors(words[index]!, partsOf(clip))] : [],
    );
    if (values.details) {
      for (const [index, clip] of clips.entries()) {
        if (clip.language === language) describe(whose, clip, words[index]!);
      }
    }
    const starts = errors.flatMap(({ firstStarts }) => firstStarts);
    const ends = errors.flatMap(({ lastEnds }) => lastEnds);
    const total = (key: 'words' | 'inPause' | 'across' | 'misplaced'): number =>
      errors.reduce((sum, error) => sum + error[key], 0);
    const near = starts.filter((start) => Math.abs(start) <= 0.2).length / starts.length;
    const cells = [
      ...[whose, language, total('words'), `${ms(starts)} ms`, `${(100 * near).toFixed(0)} %`],
      ...[`${ms(ends)} ms`, total('inPause'), total('across'), total('misplaced')],
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
}

function partsOf({ spoken }: Clip): SpokenPart[] {
  return spoken.map(({ text, range }) => {
    return { text, startSec: samplesToSec(range.start), endSec: samplesToSec(range.end) };
  });
}

function describe(whose: string, clip: Clip, words: readonly PlacedWord[]): void {
  process.stderr.write(`\n${whose}\n`);
  for (const { text, startSec, endSec } of partsOf(clip)) {
    process.stderr.write(`  said ${startSec.toFixed(2)} ${endSec.toFixed(2)} ${text}\n`);
  }
  const written = words.map(
    ({ text, startSec, endSec }) => `${startSec.toFixed(2)}[${text}]${endSec.toFixed(2)}`,
  );
  process.stderr.write(`  ${written.join(' ')}\n`);
}

function agreementRows(
  weights: string,
  clips: readonly Clip[],
  ours: readonly PlacedWord[][],
  theirs: readonly PlacedWord[][],
): string[] {
  return [...new Set(clips.map(({ language }) => language))].map((language) => {
    const here = [...clips.keys()].filter((index) => clips[index]!.language === language);
    const pairs = here.flatMap((index) => sameWords(ours[index]!, theirs[index]!));
    const count = here.reduce((sum, index) => sum + theirs[index]!.length, 0);
    const starts = pairs.map(([one, other]) => one.startSec - other.startSec);
    const ends = pairs.map(([one, other]) => one.endSec - other.endSec);
    const cells = [weights, language, count, pairs.length, `${ms(starts)} ms`, `${ms(ends)} ms`];
    return `| ${cells.join(' | ')} |\n`;
  });
}

/** Median and 95th percentile of how far apart. */
function ms(secs: readonly number[]): string {
  const sorted = secs.map(Math.abs).toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (1000 * (sorted[Math.ceil(share * sorted.length) - 1] ?? 0)).toFixed(0);
  return `${at(0.5)}, ${at(0.95)}`;
}
