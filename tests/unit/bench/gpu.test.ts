import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { copies, onCpu, type ProfileEvent, summarizeProfile } from '../../../bench/gpu-profile.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Of a run on the CPU: three tokens, one layer; most of the encoder's nodes are left out. */
const RECORDED: readonly ProfileEvent[] = JSON.parse(
  readFileSync(join(ROOT, 'tests/fixtures/ort-profile.json'), 'utf8'),
);

/** The profile as a GPU would give it, but for the named nodes. */
const onGpuBut = (...onCpuStill: readonly string[]): ProfileEvent[] =>
  RECORDED.map((event) =>
    event.args?.provider === undefined || onCpuStill.some((name) => event.name.startsWith(name))
      ? event
      : { ...event, args: { ...event.args, provider: 'CUDAExecutionProvider' } },
  );

test('the nodes of a Loop are told from those around it', () => {
  const { all, inLoop } = summarizeProfile(RECORDED);
  const runsOf = (uses: typeof all, operator: string): number | undefined =>
    uses.find((use) => use.operator === operator)?.runs;
  expect(runsOf(all, 'Loop')).toBe(3);
  expect(runsOf(inLoop, 'Loop')).toBeUndefined();
  expect(runsOf(all, 'Conv')).toBe(1);
  expect(runsOf(inLoop, 'Conv')).toBeUndefined();
  expect(runsOf(all, 'FusedMatMul')).toBe(10);
  expect(runsOf(inLoop, 'FusedMatMul')).toBe(8);
  expect(inLoop[0]).toMatchObject({ operator: 'MultiHeadAttention', runs: 2 });
  expect(inLoop[0]!.ms).toBeCloseTo(0.731);
});

test('a profile without a node on the CPU inside the Loop passes, whatever is around it', () => {
  expect(onCpu(summarizeProfile(onGpuBut('log_mel', 'encoder')))).toEqual([]);
});

test('one operator of the Loop on the CPU is found with its place in the network', () => {
  const summary = summarizeProfile(onGpuBut('stage_1.loop/Concat', 'stage_1/Loop'));
  expect(onCpu(summary)).toEqual([
    expect.objectContaining({ operator: 'Concat', runs: 2, example: 'stage_1.loop/Concat' }),
  ]);
});

test('copies that the runtime puts into the Loop are counted', () => {
  const event = RECORDED.find(({ name }) => name.startsWith('stage_1.loop/Squeeze'))!;
  const copy = {
    ...event,
    name: 'Memcpy_token_7_kernel_time',
    args: { op_name: 'MemcpyToHost', provider: 'CUDAExecutionProvider' },
  };
  const { inLoop } = summarizeProfile([...onGpuBut(), copy]);
  expect(copies(inLoop)).toEqual([
    expect.objectContaining({ operator: 'MemcpyToHost', runs: 1, example: 'Memcpy_token_7' }),
  ]);
});

test('the whole bench runs on the CPU', { timeout: 120_000 }, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...['--import', './scripts/typescript.mjs', 'bench/gpu.ts', '--device', 'cpu'],
      ...[
        '--shape',
        'tiny.en',
        '--layers',
        '1',
        '--width',
        '64',
        '--batches',
        '1',
        '--tokens',
        '3',
      ],
    ],
    { cwd: ROOT },
  );
  const titles = [...stdout.matchAll(/^## (.+)$/gm)].map(([, title]) =>
    title!.replace('tiny.en (random weights): ', ''),
  );
  expect(titles).toEqual([
    ...[
      'Machine',
      'cold start',
      'decoding',
      'greedy decodes at batch 1',
      'beam decodes at batch 1',
    ],
    ...['log-mel and encoder', 'profile, 8 tokens, whole graph'],
    ...['8 tokens', 'all of a job, batch 1', '5 beams, word times, batch 1'].map(
      (what) => `profile, ${what}, inside the Loops`,
    ),
    ...['warm-up', 'after it'],
    ...['whisper-tiny.en in float16', 'whisper-tiny.en'].map(
      (name) => `${name} on the sample, against the CPU in float32`,
    ),
  ]);
  expect(stdout.match(/^\| (?:plain|unequal lengths|5 beams) \| \d/gm)).toHaveLength(3);
  const decoded = stdout.split('decoding\n')[1]!.split('\n')[3]!.split(' | ');
  expect(decoded[4]).toBe('3');
  const [, tokens, equal] = stdout.trim().split('\n').at(-1)!.split(' | ');
  expect(Number(tokens)).toBeGreaterThan(5);
  expect(equal).toBe(tokens);
});
