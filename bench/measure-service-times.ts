import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endService, type LoadedService, startLoadedService } from './load-service.ts';
import { costOf, writeServiceTimes } from './service-times.ts';

/**
 * What one job and one start cost on this machine with the model and the device of the environment,
 * for `npm run bench:autoscale -- --measured FILE`. The whole service runs in a process of its own;
 * recordings are made of the sample, one after the other, the least of several runs counts.
 * `npm run bench:service-times -- --out bench/service-times.json`
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    out: { type: 'string', default: 'service-times.json' },
    file: { type: 'string', default: 'samples/meeting-en.wav' },
    repeats: { type: 'string', default: '6' },
    language: { type: 'string', default: 'en' },
  },
});

const PORT = 18_443;
const WINDOW_SEC = 10;
/** The file is such a WAV: 16 kHz, 16 bits, mono. */
const WAV_HEADER_BYTES = 44;
const BYTES_PER_SEC = 32_000;

const folder = await mkdtemp(join(tmpdir(), 'stt-times-'));
const startedAt = performance.now();
const service = await startLoadedService(PORT, {
  ...Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== undefined)),
  DATA_DIR: join(folder, 'data'),
  SPOOL_DIR: join(folder, 'spool'),
} as Record<string, string>);
const coldStartSec = elapsedSince(startedAt);
try {
  const samples = (await readFile(values.file)).subarray(WAV_HEADER_BYTES);
  const repeats = Number(values.repeats);
  const short = await timesOf(service, samples);
  const long = await timesOf(
    service,
    Buffer.concat(Array.from({ length: repeats }, () => samples)),
  );
  const window = await timesOf(service, samples.subarray(0, WINDOW_SEC * BYTES_PER_SEC), {
    diarize: 'false',
    word_timestamps: 'false',
  });
  const status = (await (await fetch(`${service.url}/stt/status`)).json()) as {
    readonly model: string;
    readonly device: string;
  };
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}`;
  const times = {
    about: `measured: ${status.model} on ${status.device}, ${machine}, ${new Date().toISOString().slice(0, 10)}`,
    ...costOf(short, long),
    windowSec: Math.round(Math.min(...window.runsSec) * 1000) / 1000,
    coldStartSec: Math.round(coldStartSec * 10) / 10,
  };
  await writeServiceTimes(values.out, times);
  process.stdout.write(`${JSON.stringify(times)}\n`);
} finally {
  await endService(service, 'SIGTERM');
  await rm(folder, { recursive: true });
}

async function timesOf(
  { url }: LoadedService,
  samples: Buffer,
  fields: Readonly<Record<string, string>> = {},
): Promise<{ readonly audioSec: number; readonly runsSec: number[] }> {
  const runsSec: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ language: values.language, ...fields })) {
      body.append(name, value);
    }
    body.append('file', new Blob([new Uint8Array(wavOf(samples))]), 'recording.wav');
    const beganAt = performance.now();
    const answer = await fetch(`${url}/stt/upload`, { method: 'POST', body });
    const { error } = (await answer.json()) as { readonly error?: { readonly code: string } };
    if (error !== undefined) throw new Error(`A recording was answered with ${error.code}`);
    runsSec.push(elapsedSince(beganAt));
  }
  return { audioSec: samples.length / BYTES_PER_SEC, runsSec };
}

function wavOf(samples: Buffer): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF');
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8);
  for (const [at, value] of [
    [16, 16],
    [24, 16_000],
    [28, 32_000],
    [40, samples.length],
  ] as const) {
    header.writeUInt32LE(value, at);
  }
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const) {
    header.writeUInt16LE(value, at);
  }
  header.write('data', 36);
  return Buffer.concat([header, samples]);
}

function elapsedSince(beganAt: number): number {
  return (performance.now() - beganAt) / 1000;
}
