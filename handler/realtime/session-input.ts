import type { LiveInput } from '../../pipeline/realtime/session-state.ts';

/** What a session works off, one after the other. */
export type SessionInput =
  | { readonly kind: 'audio'; readonly waveform: Float32Array; readonly chunkSeq: number }
  | { readonly kind: 'step'; readonly input: LiveInput; settle?(): void };

/** Pieces of audio in a row as one. */
export function grouped(inputs: readonly SessionInput[]): SessionInput[] {
  const groups: SessionInput[] = [];
  for (const input of inputs) {
    const last = groups.at(-1);
    if (last?.kind === 'audio' && input.kind === 'audio') {
      const waveform = new Float32Array(last.waveform.length + input.waveform.length);
      waveform.set(last.waveform);
      waveform.set(input.waveform, last.waveform.length);
      groups[groups.length - 1] = { ...input, waveform };
    } else groups.push(input);
  }
  return groups;
}
