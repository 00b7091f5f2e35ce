import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSpoolFolder } from '../../audio/spool.ts';
import type { Config } from '../../core/config.ts';
import type { VoiceActivityModel } from '../../pipeline/contracts.ts';
import { tellRefusal } from '../http/callers.ts';
import type { ServiceModule } from '../http/create-service.ts';
import type { ServiceContext } from '../http/service-context.ts';
import type { RealtimeCaller, RefineSession, WindowRecognizer } from './contracts.ts';
import { LiveSessions } from './live-sessions.ts';
import { registerRealtime } from './register-realtime.ts';

export interface RealtimeEngine {
  readonly recognizer: WindowRecognizer;
  /** Always in this process: it decides what is worth a window. */
  readonly voiceActivity: VoiceActivityModel;
}

/** Live sessions of the service: `/stt/realtime`, sessions of an earlier process included. */
export class RealtimeModule {
  readonly #config: Pick<Config, 'jobs' | 'audio' | 'service'>;
  #engine: RealtimeEngine | undefined;
  #context: ServiceContext | undefined;
  #sessions: LiveSessions | undefined;

  constructor(config: Pick<Config, 'jobs' | 'audio' | 'service'>) {
    this.#config = config;
  }

  readonly register: ServiceModule = async (app, context) => {
    this.#context = context;
    app.addHook('onClose', async () => await this.#sessions?.close());
    await registerRealtime(app, {
      sessions: () => (context.slot.phase === 'draining' ? undefined : this.#sessions),
      identify: (key) => callerOf(context, this.#config.service.realtimeKeepAudio, key),
      model: () => context.slot.engine?.model,
      logger: context.logger,
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
    const { audio, jobs } = this.#config;
    const { logger } = this.#context;
    const sessions = new LiveSessions({
      ...this.#engine,
      logger,
      dataDir: resolve(jobs.dataDir),
      spoolDir: audio.spoolDir,
      ffmpegPath: audio.ffmpegPath,
      refine: refineBy(this.#context, this.#config),
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
  return { tenant: id, keepsAudio, maxSessions: limits.concurrentJobs };
}

/** The whole session as a recording of the service. */
const refineBy =
  ({ executor, logger }: ServiceContext, config: Pick<Config, 'audio'>): RefineSession =>
  async ({ meetingId, tenant, language, wav }) => {
    const spool = await createSpoolFolder(config.audio.spoolDir);
    try {
      const { path, handle } = await spool.createFile();
      await writeFile(handle, wav);
      const { size } = await handle.stat();
      const fields = { meeting_id: meetingId, tenant_id: tenant, language };
      const job = { id: randomUUID(), tenant, input: fields, upload: { path, bytes: size } };
      const { signal } = new AbortController();
      return await executor.execute(job, { signal, logger, onProgress: () => undefined });
    } finally {
      await spool.remove();
    }
  };
