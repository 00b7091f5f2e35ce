import { resolve } from 'node:path';
import type { Config } from '../../core/config.ts';
import type { SpeechRecognizer, VoiceActivityModel } from '../../pipeline/contracts.ts';
import { tellRefusal } from '../http/callers.ts';
import type { ServiceModule } from '../http/create-service.ts';
import type { ServiceContext } from '../http/service-context.ts';
import type { RealtimeCaller, WindowRecognizer } from './contracts.ts';
import { LiveSessions } from './live-sessions.ts';
import { registerRealtime } from './register-realtime.ts';
import { SessionJobs } from './session-jobs.ts';
import { DEFAULT_WINDOW_TIMING } from './window-caller.ts';

export interface RealtimeEngine {
  readonly recognizer: WindowRecognizer;
  /** Where the windows are recognised in this process: what it cannot do is refused at the start. */
  readonly model?: Pick<SpeechRecognizer, 'modelName' | 'languages'>;
  /** Always in this process: it decides what is worth a window. */
  readonly voiceActivity: VoiceActivityModel;
}

type RealtimeConfig = Pick<Config, 'jobs' | 'audio' | 'realtime'>;

/** Live sessions of the service: `/stt/realtime`, sessions of an earlier process included. */
export class RealtimeModule {
  readonly #config: RealtimeConfig;
  #engine: RealtimeEngine | undefined;
  #context: ServiceContext | undefined;
  #sessions: LiveSessions | undefined;

  constructor(config: RealtimeConfig) {
    this.#config = config;
  }

  readonly register: ServiceModule = async (app, context) => {
    this.#context = context;
    const { maxSessionSec, maxSpeed } = this.#config.realtime;
    app.addHook('onClose', async () => await this.#sessions?.close());
    await registerRealtime(app, {
      sessions: () => (context.slot.phase === 'draining' ? undefined : this.#sessions),
      identify: (key) => callerOf(context, this.#config.realtime.keepAudio, key),
      model: () => context.slot.engine?.model,
      logger: context.logger,
      meter: context.live.meters,
      limits: { maxSessionSec, maxSpeed },
    });
    await this.#start();
  };

  /** Sessions are accepted from now on. */
  async serve(engine: RealtimeEngine): Promise<void> {
    this.#engine = engine;
    await this.#start();
  }

  async #start(): Promise<void> {
    if (!this.#engine || !this.#context) return;
    const { audio, jobs, realtime } = this.#config;
    const { logger, asyncJobs, admission } = this.#context;
    const sessions = new LiveSessions({
      ...this.#engine,
      logger,
      dataDir: resolve(jobs.dataDir),
      isShared: jobs.databaseUrl !== undefined,
      spoolDir: audio.spoolDir,
      ffmpegPath: audio.ffmpegPath,
      meter: this.#context.live.meters,
      maxSessions: realtime.maxSessions,
      timing: { ...DEFAULT_WINDOW_TIMING, patienceMs: realtime.patienceMs },
      refinement: asyncJobs && new SessionJobs(asyncJobs),
      usage: {
        assertLeft: (tenant) => admission.assertAudioLeft(tenant),
        count: (tenant, audioSec, sessions) => admission.countAudio(tenant, audioSec, sessions),
      },
    });
    const restored = await sessions.restore();
    if (restored > 0) logger.info({ sessions: restored }, 'live sessions restored');
    this.#sessions = sessions;
    this.#context.live.attach(sessions);
  }
}

function callerOf(
  context: ServiceContext,
  keepsAudio: boolean,
  credential: string | undefined,
): RealtimeCaller | undefined {
  if (context.keys === undefined) return { tenant: null, keepsAudio };
  if (credential === undefined) return undefined; // The first message may still tell.
  const caller = context.keys.identify(credential);
  if (!caller?.tenant) {
    tellRefusal(context, null, true);
    return undefined;
  }
  const { id, limits } = caller.tenant;
  return {
    tenant: id,
    keepsAudio: limits.keepsLiveAudio ?? keepsAudio,
    maxSessions: limits.concurrentJobs,
  };
}
