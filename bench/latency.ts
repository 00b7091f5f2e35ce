import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openAudio } from '../audio/open-audio.ts';
import { loadConfig } from '../core/config.ts';
import { type LatencyTarget, startGateway, startServer } from './latency-target.ts';
import { type LiveOutcome, playLive } from './live-playback.ts';
import { countWordErrors, errorRate } from './word-errors.ts';

/**
 * Latency of live captions: plays recordings in real time into the service's own WebSocket and says
 * how long after each word its text was there. One round for each number of sessions at a time; in a
 * round every recording is played at least once.
 * `npm run bench:latency -- --language en --sessions 1,4,16 [--real] [file …]`
 * `… --gateway --workers 2 --cold-start-sec 10`: through a gateway and worker processes.
 */

const REAL = ['jfk.flac', 'sample.wav', 'dev00.wav', 'dev01.wav', 'trn03.wav'];
/** Clients do not speak in step. */
const STAGGER_MS = 370;
const { values, positionals } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1' },
    language: { type: 'string' },
    /** `WHISPER_MODEL`; empty: the default. */
    model: { type: 'string', default: '' },
    real: { type: 'boolean', default: false },
    gateway: { type: 'boolean', default: false },
    workers: { type: 'string', default: '1' },
    'cold-start-sec': { type: 'string', default: '0' },
  },
  allowPositionals: true,
});
const coldStartSec = Number(values['cold-start-sec']);
const language = values.language ?? null;

interface Recording {
  readonly path: string;
  readonly samples: Float32Array<ArrayBuffer>;
  readonly offline: string;
}

interface Play extends LiveOutcome {
  readonly recording: Recording;
}

interface Round {
  readonly sessions: number;
  readonly plays: readonly Play[];
  readonly load: string;
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

const describe = (latenciesMs: readonly number[]): string => {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const sec = (share: number): string => `${(percentile(sorted, share) / 1000).toFixed(2)} s`;
  return `${sec(0.5)}, ${sec(0.95)}`;
};

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |\n`;

async function readSamples(path: string): Promise<Float32Array<ArrayBuffer>> {
  const limits = { ...loadConfig({}).audio, root: dirname(path) };
  const source = { kind: 'path', path: basename(path) } as const;
  const audio = await openAudio(source, limits, new AbortController().signal);
  try {
    return await audio.read({ start: 0, end: audio.sampleCount });
  } finally {
    await audio.close();
  }
}

async function offlineText(url: string, path: string): Promise<string> {
  const form = new FormData();
  form.set('file', new Blob([await readFile(path)]), basename(path));
  form.set('diarize', 'false');
  if (language) form.set('language', language);
  const answer = await fetch(`${url}/stt/upload`, { method: 'POST', body: form });
  const { transcript } = (await answer.json()) as { transcript?: string };
  if (transcript === undefined) throw new Error(`The service answered ${answer.status}`);
  return transcript;
}

async function playRound(
  { url, prepare }: LatencyTarget,
  recordings: readonly Recording[],
  sessions: number,
): Promise<Round> {
  await prepare();
  const before = loadavg()[0]!;
  const socketUrl = `${url.replace('http', 'ws')}/stt/realtime`;
  const turns = Math.ceil(recordings.length / sessions);
  const lanes = Array.from({ length: sessions }, async (_, lane) => {
    const plays: Play[] = [];
    await sleep(lane * STAGGER_MS);
    for (let turn = 0; turn < turns; turn++) {
      const recording = recordings[(lane + turn * sessions) % recordings.length]!;
      plays.push({ recording, ...(await playLive(socketUrl, recording.samples, language)) });
    }
    return plays;
  });
  const plays = (await Promise.all(lanes)).flat();
  return { sessions, plays, load: `${before.toFixed(1)} → ${loadavg()[0]!.toFixed(1)}` };
}

const differenceOf = ({ recording, text }: Play): number =>
  errorRate(countWordErrors(recording.offline, text));

function reportLatency(rounds: readonly Round[]): string {
  const late = coldStartSec > 0 ? ['final p50, p95 of the second half'] : [];
  const columns = [
    ...['sessions', 'plays', 'load average', 'first partial p50, p95', 'partial p50, p95'],
    ...['final p50, p95', ...late, 'finals changed', 'gaps'],
  ];
  const lines = rounds.map(({ sessions, plays, load }) => {
    const all = (pick: (play: Play) => readonly number[]): string => describe(plays.flatMap(pick));
    const sum = (pick: (play: Play) => number): number =>
      plays.reduce((total, play) => total + pick(play), 0);
    const settled = ({ finalMs }: Play): number[] => finalMs.slice(finalMs.length / 2);
    return row([
      ...[sessions, plays.length, load, all((play) => play.firstPartialMs)],
      ...[all((play) => play.partialMs), all((play) => play.finalMs)],
      ...(late.length > 0 ? [all(settled)] : []),
      ...[sum((play) => play.retractions), sum((play) => play.gaps)],
    ]);
  });
  return row(columns) + row(columns.map(() => '---')) + lines.join('');
}

function reportWords(rounds: readonly Round[], recordings: readonly Recording[]): string {
  const columns = ['words unlike the offline transcript', 'words'];
  const heads = [...columns, ...rounds.map(({ sessions }) => `${sessions} session(s)`)];
  const lines = recordings.map((recording) => {
    const cells = rounds.map(({ plays }) => {
      const rates = plays.filter((play) => play.recording === recording).map(differenceOf);
      const percents = [Math.min(...rates), Math.max(...rates)].map((rate) =>
        (100 * rate).toFixed(1),
      );
      return `${[...new Set(percents)].join('–')} %`;
    });
    const { referenceLength } = countWordErrors(recording.offline, '');
    return row([basename(recording.path), referenceLength, ...cells]);
  });
  return row(heads) + row(heads.map(() => '---')) + lines.join('');
}

const real = values.real
  ? REAL.map((name) => join(import.meta.dirname, '../../shared/audio/real', name))
  : [];
const paths = [...positionals, ...real];
if (positionals.length === 0) paths.unshift('samples/meeting-en.wav');
const target = values.gateway
  ? await startGateway({ model: values.model, workers: Number(values.workers), coldStartSec })
  : await startServer(values.model);
try {
  process.stdout.write(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}\n`);
  process.stdout.write(`${target.name}, from the end of each word; ${paths.length} recording(s)\n`);
  const recordings: Recording[] = [];
  for (const path of paths) {
    const offline = await offlineText(target.url, path);
    recordings.push({ path, samples: await readSamples(path), offline });
  }
  const rounds: Round[] = [];
  for (const sessions of values.sessions.split(',').map(Number)) {
    rounds.push(await playRound(target, recordings, sessions));
    process.stdout.write(`${sessions} session(s) played\n`);
  }
  process.stdout.write(`\n${reportLatency(rounds)}\n${reportWords(rounds, recordings)}`);
} finally {
  await target.close();
}
