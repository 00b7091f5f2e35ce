import { levelled } from '../../audio/gain.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { chineseWords, type ScriptChoice } from '../../pipeline/chinese-script.ts';
import type { LiveInput, WindowRequest } from '../../pipeline/realtime/session-state.ts';
import { chineseScriptAsked } from '../languages.ts';
import type { WindowRecognizer } from './contracts.ts';
import { Delay, type Persistence } from './delays.ts';
import type { LiveHostPorts } from './live-host-ports.ts';
import type { SessionCheckpoint, SessionIdentity } from './session-store.ts';
import { DEFAULT_WINDOW_TIMING, WindowCaller } from './window-caller.ts';

const MAX_NAME_CHARS = 64;

/** As a session asks for it, by name or by the tag of its language. */
const scriptOf = ({ chineseScript, language, languages = [] }: SessionIdentity): ScriptChoice =>
  chineseScript ?? chineseScriptAsked({ language, languages });

const inScript = (recognizer: WindowRecognizer, choice: ScriptChoice): WindowRecognizer => ({
  recognize: async (window, signal) => {
    const result = await recognizer.recognize(window, signal);
    return { ...result, words: await chineseWords(result.words, choice, result.language) };
  },
});

interface WindowsManner {
  onLate(code: ErrorCode): void;
  /** For reading audio. */
  readonly disk: Persistence;
}

/** The windows of one session: its samples, quiet speech raised, sent to whoever recognises them. */
export class SessionWindows {
  readonly #session: Pick<SessionCheckpoint, 'identity' | 'epoch'>;
  readonly #ports: LiveHostPorts;
  readonly #caller: WindowCaller;
  readonly #delay: Delay;
  readonly #disk: Persistence;

  constructor(
    session: Pick<SessionCheckpoint, 'identity' | 'epoch'>,
    ports: LiveHostPorts,
    { onLate, disk }: WindowsManner,
  ) {
    this.#session = session;
    this.#ports = ports;
    const { timing = DEFAULT_WINDOW_TIMING } = ports;
    const recognizer = inScript(ports.recognizer, scriptOf(session.identity));
    this.#delay = new Delay(onLate, timing.backoffMs);
    this.#disk = disk;
    this.#caller = new WindowCaller({
      ...{ recognizer, timing, delay: this.#delay },
      onWindow: (outcome, elapsedSec) => ports.meter?.window(outcome, elapsedSec),
    });
  }

  /** Why captions are late; null: they are not. */
  get late(): ErrorCode | null {
    return this.#delay.code;
  }

  /** What comes of it. @throws {SttError} where the session cannot go on; the reason of `signal`. */
  async ask(request: WindowRequest, signal: AbortSignal): Promise<LiveInput> {
    const { identity, epoch } = this.#session;
    const { sessionId, tenant, key } = identity;
    const waveform = levelled(await this.#disk.run(() => this.#ports.audio.read(request)));
    const name = `${sessionId.slice(0, MAX_NAME_CHARS)}:${key}`;
    const window = { ...request, sessionId: name, tenant, epoch, waveform };
    return await this.#caller.call(window, signal);
  }
}
