import { readFileSync } from 'node:fs';

/** Of Intel and AMD: AVX-512 VNNI and AVX VNNI; of ARM: dot product. */
const FLAGS = new Set(['avx512_vnni', 'avx_vnni', 'asimddp']);

/** Whether this processor multiplies bytes and sums them in one instruction; unknown counts as no. */
export function hasIntegerDotProduct(): boolean {
  try {
    return namesIntegerDotProduct(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}

/** @param cpuinfo as Linux writes it. */
export function namesIntegerDotProduct(cpuinfo: string): boolean {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  return flags.split(/\s+/).some((flag) => FLAGS.has(flag));
}
