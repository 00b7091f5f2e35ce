import type { LiveInput } from '../../pipeline/realtime/session-state.ts';

/** What a session works off, one after the other. */
export type SessionInput =
  | { readonly kind: 'audio'; readonly waveform: Float32Array; readonly chunkSeq: number }
  | { readonly kind: 'step'; readonly input: LiveInput; settle?(): void }
  /** Another process has left the session: what it had not heard is heard now. */
  | { readonly kind: 'recover' };

type AudioInput = Extract<SessionInput, { kind: 'audio' }>;

/** Pieces of audio in a row as one. */
export function grouped(inputs: readonly SessionInput[]): SessionInput[] {
  const groups: SessionInput[] = [];
  let pieces: AudioInput[] = [];
  const closeGroup = (): void => {
    if (pieces.length > 0) groups.push(joined(pieces));
    pieces = [];
  };
  for (const input of inputs) {
    if (input.kind === 'audio') pieces.push(input);
    else {
      closeGroup();
      groups.push(input);
    }
  }
  closeGroup();
  return groups;
}

function joined(pieces: readonly AudioInput[]): AudioInput {
  const waveform = new Float32Array(pieces.reduce((sum, piece) => sum + piece.waveform.length, 0));
  let at = 0;
  for (const piece of pieces) {
    waveform.set(piece.waveform, at);
    at += piece.waveform.length;
  }
  return { kind: 'audio', waveform, chunkSeq: pieces.at(-1)!.chunkSeq };
}
