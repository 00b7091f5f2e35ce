import type { VoiceActivityModel } from '../../pipeline/contracts.ts';
import type { LiveHostPorts } from './live-host-ports.ts';
import type { SessionAudio } from './session-audio.ts';
import { VoiceFrames } from './voice-frames.ts';

/** Does it again until it succeeds. */
type Persist = <T>(work: () => Promise<T>) => Promise<T>;

/** Speech probabilities of a session, whatever becomes of the network that gives them. */
export class SessionEars {
  readonly #model: VoiceActivityModel;
  readonly #audio: SessionAudio;
  readonly #persist: Persist;
  #frames: VoiceFrames;

  constructor(
    { voiceActivity, audio }: Pick<LiveHostPorts, 'voiceActivity' | 'audio'>,
    persist: Persist,
  ) {
    this.#model = voiceActivity;
    this.#audio = audio;
    this.#persist = persist;
    this.#frames = new VoiceFrames(voiceActivity);
  }

  get frameSamples(): number {
    return this.#frames.frameSamples;
  }

  /** Of audio that is stored already; `heard` is the end of the last frame. */
  async hear(
    waveform: Float32Array,
    heard: number,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    try {
      return await this.#frames.push(waveform, signal);
    } catch {
      signal.throwIfAborted();
      return await this.hearAgain(heard, signal);
    }
  }

  /** A new start behind `heard`: what that network remembered is heard again, then all that is new. */
  hearAgain(heard: number, signal: AbortSignal): Promise<readonly number[]> {
    return this.#persist(async () => {
      this.#frames = new VoiceFrames(this.#model);
      const { sampleCount } = this.#audio;
      await this.#frames.warmUp(this.#audio, Math.min(heard, sampleCount), signal);
      const unheard = { start: Math.min(heard, sampleCount), end: sampleCount };
      return await this.#frames.push(await this.#audio.read(unheard), signal);
    });
  }

  /** The rest, followed by silence. */
  async flush(heard: number, signal: AbortSignal): Promise<readonly number[]> {
    try {
      return await this.#frames.flush(signal);
    } catch {
      signal.throwIfAborted();
      const before = await this.hearAgain(heard, signal);
      return [...before, ...(await this.#frames.flush(signal))];
    }
  }
}
