/** What of an event of ONNX Runtime's profile is read here. */
export interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly provider?: string;
    /** Of each input its type and its lengths. */
    readonly input_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

/** All runs of one operator on one execution provider. */
export interface OperatorUse {
  readonly operator: string;
  readonly provider: string;
  readonly runs: number;
  readonly ms: number;
  /** Of the first that was met: where in the network it is. */
  readonly example: string;
}

export interface ProfileSummary {
  readonly all: readonly OperatorUse[];
  /** What ran within a Loop, nested branches included. */
  readonly inLoop: readonly OperatorUse[];
}

const CPU = 'CPUExecutionProvider';
/** Nodes that hold others: their time is that of their parts. */
const CONTAINERS = new Set(['Loop', 'If']);

/**
 * Counts a profile's nodes by operator and provider. A node is inside a Loop when it ran while a
 * Loop did: fused and inserted nodes, copies between CPU and GPU among them, have names of their own.
 */
export function summarizeProfile(events: readonly ProfileEvent[]): ProfileSummary {
  const nodes = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const loops = nodes.filter(({ args }) => args?.op_name === 'Loop');
  const isInLoop = (node: ProfileEvent): boolean =>
    loops.some((loop) => loop !== node && isWithin(node, loop));
  return { all: countUses(nodes), inLoop: countUses(nodes.filter(isInLoop)) };
}

/** What of a Loop ran on the CPU; `Loop` and `If` themselves are bound to no device. */
export const onCpu = ({ inLoop }: ProfileSummary): OperatorUse[] =>
  inLoop.filter(({ provider, operator }) => provider === CPU && !CONTAINERS.has(operator));

/** Copies between the memories of CPU and GPU. */
export const copies = (uses: readonly OperatorUse[]): OperatorUse[] =>
  uses.filter(({ operator }) => operator.startsWith('Memcpy'));

const isWithin = (inner: ProfileEvent, outer: ProfileEvent): boolean =>
  inner.ts >= outer.ts && inner.ts + inner.dur <= outer.ts + outer.dur;

function countUses(nodes: readonly ProfileEvent[]): OperatorUse[] {
  const uses = new Map<string, OperatorUse>();
  for (const { name, dur, args } of nodes) {
    const { op_name: operator = 'unknown', provider = 'unknown' } = args ?? {};
    const known = uses.get(`${operator} ${provider}`);
    uses.set(`${operator} ${provider}`, {
      operator,
      provider,
      runs: (known?.runs ?? 0) + 1,
      ms: (known?.ms ?? 0) + dur / 1000,
      example: known?.example ?? name.replace(/_kernel_time$/, ''),
    });
  }
  return [...uses.values()].toSorted((a, b) => b.ms - a.ms);
}
