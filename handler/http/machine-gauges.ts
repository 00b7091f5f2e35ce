import { Gauge, type Registry } from 'prom-client';
import type { EngineSlot } from './engine-slot.ts';
import { GpuMemoryReader } from './gpu-memory.ts';
import type { LiveCount } from './live-count.ts';

const MEBIBYTE = 1024 * 1024;
const reader = new GpuMemoryReader();

/** Memory of the GPU that the engine runs on; null on a CPU and where nobody tells. */
export const gpuMemoryOf = async ({ engine }: EngineSlot) =>
  engine?.device === 'cuda' ? await reader.read() : null;

/** Gauges of the machine and of live sessions, read when Prometheus asks. */
export function addMachineGauges(
  registry: Registry,
  { slot, live }: { readonly slot: EngineSlot; readonly live: LiveCount },
): void {
  const sessions: Gauge = new Gauge({
    name: 'stt_live_sessions',
    help: 'Live sessions of this process',
    registers: [registry],
    collect: () => sessions.set(live.count),
  });
  const memory: Gauge<'kind'> = new Gauge({
    name: 'stt_gpu_memory_bytes',
    help: 'Memory of the GPUs, used and in all; nothing on a CPU',
    labelNames: ['kind'],
    registers: [registry],
    collect: async () => {
      const read = await gpuMemoryOf(slot);
      if (read === null) return;
      memory.set({ kind: 'used' }, read.usedMb * MEBIBYTE);
      memory.set({ kind: 'total' }, read.totalMb * MEBIBYTE);
    },
  });
}
