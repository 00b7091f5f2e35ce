import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type LiveOutcome, playLive } from './live-playback.ts';
import { readWavSamples } from './wav-samples.ts';
import { countWordErrors, errorRate } from './word-errors.ts';

/**
 * Latency of live captions: plays a 16 kHz mono recording in real time into the service's own
 * WebSocket and says how long after each word its text was there.
 * `npm run bench:latency -- --sessions 4 [file.wav]`
 */

const PORT = 18_431;
const { values, positionals } = parseArgs({
  options: { sessions: { type: 'string', default: '1' }, language: { type: 'string' } },
  allowPositionals: true,
});
const [path = 'samples/meeting-en.wav'] = positionals;
const sessions = Number(values.sessions);

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

const describe = (latenciesMs: readonly number[]): string => {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const [p50, p95] = [percentile(sorted, 0.5), percentile(sorted, 0.95)];
  return `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (${sorted.length})`;
};

async function serve(dataDir: string): Promise<ChildProcess> {
  const env = { ...process.env, PORT: String(PORT), DATA_DIR: dataDir, LOG_LEVEL: 'error' };
  const argv = ['--import', './scripts/typescript.mjs', 'handler/main.ts'];
  const child = spawn(process.execPath, argv, { env, stdio: 'inherit' });
  for (let tries = 0; tries < 240; tries++) {
    const health = await fetch(`http://127.0.0.1:${PORT}/ping`).catch(() => undefined);
    if (health?.status === 200) return child;
    await sleep(250);
  }
  throw new Error('The service did not become ready');
}

async function offlineText(): Promise<string> {
  const form = new FormData();
  form.set('file', new Blob([await readFile(path)]), 'audio.wav');
  form.set('diarize', 'false');
  if (values.language) form.set('language', values.language);
  const url = `http://127.0.0.1:${PORT}/stt/upload`;
  const answer = await fetch(url, { method: 'POST', body: form });
  const { transcript } = (await answer.json()) as { transcript?: string };
  if (transcript === undefined) throw new Error(`The service answered ${answer.status}`);
  return transcript;
}

function report(outcomes: readonly LiveOutcome[], offline: string): void {
  const all = (pick: (outcome: LiveOutcome) => readonly number[]): string =>
    describe(outcomes.flatMap(pick));
  const wers = outcomes.map(({ text }) => errorRate(countWordErrors(offline, text)));
  const retractions = outcomes.reduce((sum, outcome) => sum + outcome.retractions, 0);
  process.stdout.write(
    [
      `${sessions} session(s) of ${path}, Node ${process.version}`,
      `first partial after the speech starts  ${all(({ firstPartialMs }) => firstPartialMs)}`,
      `partial after the word ends            ${all(({ partialMs }) => partialMs)}`,
      `final after the word ends              ${all(({ finalMs }) => finalMs)}`,
      `finals that changed or came twice      ${retractions}`,
      `words unlike the offline transcript    ${wers.map((wer) => `${(100 * wer).toFixed(1)} %`).join(', ')}`,
      '',
    ].join('\n'),
  );
}

const samples = readWavSamples(await readFile(path));
const dataDir = await mkdtemp(join(tmpdir(), 'stt-latency-'));
const service = await serve(dataDir);
try {
  const offline = await offlineText();
  const url = `ws://127.0.0.1:${PORT}/stt/realtime`;
  const plays = Array.from({ length: sessions }, async (_, index) => {
    await sleep(index * 370); // Clients do not speak in step.
    return await playLive(url, samples, values.language ?? null);
  });
  report(await Promise.all(plays), offline);
} finally {
  service.kill('SIGTERM');
  await once(service, 'exit');
  await rm(dataDir, { recursive: true });
}
