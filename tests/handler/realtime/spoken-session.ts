import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { sampleWaveform } from '../../golden/shared-data.ts';
import { LiveClient, textOf } from './live-client.ts';

const PIECES_PER_SEC = 4;

/** A client that keeps what is not acknowledged and comes back after every cut, as ours should. */
export class SpokenSession {
  readonly #url: string;
  readonly #start: Readonly<Record<string, unknown>>;
  readonly #pieces: readonly Buffer[];
  readonly #clients: LiveClient[] = [];
  #sent = 0;

  constructor(url: string, seconds: number, start: Readonly<Record<string, unknown>> = {}) {
    this.#url = `${url.replace(/^http/, 'ws')}/stt/realtime`;
    this.#start = { type: 'start_session', language: 'en', ...start };
    const samples = sampleWaveform().slice(0, seconds * SAMPLE_RATE_HZ);
    const size = SAMPLE_RATE_HZ / PIECES_PER_SEC;
    this.#pieces = Array.from({ length: samples.length / size }, (_, piece) =>
      pcm16Bytes(samples.slice(piece * size, (piece + 1) * size)),
    );
  }

  get client(): LiveClient {
    return this.#clients.at(-1)!;
  }

  async begin(): Promise<void> {
    this.#clients.push(new LiveClient(this.#url));
    await this.client.send(this.#start);
    await this.client.hears('session_started');
  }

  /** Speaks up to that second. */
  async speakUntil(second: number): Promise<void> {
    while (this.#sent < second * PIECES_PER_SEC) {
      const bytes = this.#pieces[this.#sent++]!;
      const audio_data = bytes.toString('base64');
      await this.client.send({ type: 'audio_chunk', audio_data, seq: this.#sent });
    }
  }

  /** Comes back, and says again what has not arrived. */
  async comeBack(): Promise<void> {
    const { session_id, resume_token } = await this.#clients[0]!.hears('session_started');
    const last_event_seq = this.events.at(-1)?.['event_seq'] ?? 0;
    this.#clients.push(new LiveClient(this.#url));
    await this.client.send({ type: 'resume_session', session_id, resume_token, last_event_seq });
    const { last_seq } = await this.client.hears('session_resumed');
    const until = this.#sent / PIECES_PER_SEC;
    this.#sent = Number(last_seq);
    await this.speakUntil(until);
  }

  /** As if the network had gone away. */
  async cut(): Promise<void> {
    this.client.cut();
    await this.client.closed;
  }

  async end(): Promise<Record<string, unknown>> {
    await this.speakUntil(this.#pieces.length / PIECES_PER_SEC);
    await this.client.send({ type: 'end_session' });
    return await this.client.hears('session_ended');
  }

  /** Numbered events of all sockets together. */
  get events() {
    const all = this.#clients.flatMap(({ heard }) => heard);
    return all.filter(({ event_seq }) => event_seq !== undefined);
  }

  /** The final transcript without what a window more or less may change: case and punctuation. */
  get words(): readonly string[] {
    const finals = this.events.filter(({ type }) => type === 'transcript_final');
    return (
      textOf(finals)
        .toLowerCase()
        .match(/[\p{L}\p{N}']+/gu) ?? []
    );
  }
}
