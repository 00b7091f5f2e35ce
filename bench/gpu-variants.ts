import type { InferenceSession } from '../models/engine/onnxruntime.ts';
import type { TensorMap } from '../models/engine/protocol.ts';
import type { WhisperCheckpoint } from '../models/whisper/checkpoint.ts';
import { type DecodingKind, GREEDY } from '../models/whisper/decoding-kind.ts';
import { type ForcedWindow, forcedFeeds } from '../models/whisper/forced-feeds.ts';
import { everydayWindows } from '../models/whisper/warm-up.ts';
import type { GpuMemory } from './gpu-facts.ts';
import { timedRun } from './gpu-graphs.ts';
import { printTable, rounded } from './gpu-tables.ts';

const BEAMS = 5;
const PROMPT_TOKENS = 40;
/** As the job's default has it. */
const BEAM_KIND: DecodingKind = { ...GREEDY, search: 'beam', rowsPerWindow: BEAMS };

/** What a job may ask of a decode beside the plainest one. */
interface Variant {
  readonly name: string;
  readonly search: 'greedy' | 'beam';
  /** Worth a profile: all that the others have, at once. */
  readonly isProfiled?: boolean;
  feeds(checkpoint: WhisperCheckpoint, windows: number, tokens: number): TensorMap;
}

const greedy = (
  name: string,
  windowOf: (row: number, tokens: number) => ForcedWindow,
  { attention = false, kind = GREEDY }: { attention?: boolean; kind?: DecodingKind } = {},
): Variant => ({
  name,
  search: kind.search,
  feeds: (checkpoint, windows, tokens) =>
    forcedFeeds(
      checkpoint,
      Array.from({ length: windows }, (_, row) => windowOf(row, tokens)),
      { attention, kind },
    ),
});

/** Half of the rows end after a quarter of the tokens, a quarter after a half: two smaller batches follow. */
const unequal = (row: number, tokens: number): ForcedWindow => ({
  tokens: Math.max(1, Math.ceil(tokens / [4, 4, 2, 1][row % 4]!)),
});

export const VARIANTS: readonly Variant[] = [
  greedy('plain', (_, tokens) => ({ tokens })),
  greedy('word times', (_, tokens) => ({ tokens }), { attention: true }),
  greedy('unequal prompts', (row, tokens) => ({
    tokens,
    previousTokens: PROMPT_TOKENS * (row % 2),
  })),
  greedy('sampled', (_, tokens) => ({ tokens, temperature: 0.4 })),
  greedy('unequal lengths', unequal),
  greedy(`best of ${BEAMS} samples`, (_, tokens) => ({ tokens, temperature: 0.4 }), {
    kind: { ...GREEDY, rowsPerWindow: BEAMS },
  }),
  {
    name: 'all of a job',
    search: 'greedy',
    isProfiled: true,
    feeds: (checkpoint, windows) =>
      forcedFeeds(checkpoint, everydayWindows(windows), { attention: true }),
  },
  greedy(`${BEAMS} beams`, (_, tokens) => ({ tokens }), { kind: BEAM_KIND }),
  {
    ...greedy(`${BEAMS} beams, word times`, (_, tokens) => ({ tokens }), {
      kind: BEAM_KIND,
      attention: true,
    }),
    isProfiled: true,
  },
];

interface VariantOptions {
  readonly checkpoint: WhisperCheckpoint;
  readonly windows: number;
  readonly tokens: number;
  readonly memory: GpuMemory;
  /** Beside the first; the quickest counts. */
  readonly runs: number;
}

/** What each variant costs at one batch size, the first run apart: it may tune and grow memory. */
export async function printVariants(
  title: string,
  search: 'greedy' | 'beam',
  session: InferenceSession,
  options: VariantOptions,
): Promise<void> {
  const rows: (string | number | undefined)[][] = [];
  for (const variant of VARIANTS) {
    if (variant.search !== search) continue;
    const figures = await measure(variant, session, options).catch(() => ['did not run']);
    rows.push([variant.name, ...figures, await options.memory.takePeakMb()]);
  }
  const columns = ['decode', 'tokens', 'ms, first run', 'ms', 'ms ÷ tokens', 'GPU memory peak MB'];
  printTable(`${title}: ${search} decodes at batch ${options.windows}`, columns, rows);
}

async function measure(
  { feeds }: Variant,
  session: InferenceSession,
  { checkpoint, windows, tokens, runs }: VariantOptions,
): Promise<number[]> {
  const run = () => timedRun(session, feeds(checkpoint, windows, tokens));
  const first = await run();
  let ms = Number.POSITIVE_INFINITY;
  for (let count = 0; count < runs; count++) ms = Math.min(ms, (await run()).ms);
  return [first.tokens, ...[first.ms, ms, ms / first.tokens].map(rounded)];
}
