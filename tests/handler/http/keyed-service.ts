import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../core/config.ts';
import { createLogger } from '../../../core/logger.ts';
import {
  createService,
  type Service,
  type ServiceModule,
} from '../../../handler/http/create-service.ts';
import { EngineSlot } from '../../../handler/http/engine-slot.ts';
import { LocalExecutor } from '../../../handler/jobs/local-executor.ts';
import type { JobServices } from '../../../handler/run-job.ts';
import { hashKey } from '../../../handler/tenants/key-ring.ts';
import { readKeyRing } from '../../../handler/tenants/read-keys.ts';
import { OneTenantJobs } from '../../fakes/one-tenant-jobs.ts';
import { wavBytes } from '../../fakes/wav-bytes.ts';

export const OPERATOR = 'operator';
export const WAV = new Blob([wavBytes(new Int16Array(16_000))]);

interface KeyedOptions {
  /** Limits by tenant, as in the document of keys; the key of a tenant is `key-of-TENANT`. */
  readonly tenants: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly services: JobServices;
  readonly modules?: (config: ReturnType<typeof loadConfig>) => readonly ServiceModule[];
}

export const keyOf = (tenant: string): string => `key-of-${tenant}`;

/** The service with keys, in this process and on a real port, its engine a fake. */
export class KeyedService {
  readonly service: Service;
  readonly url: string;
  readonly spool: string;
  readonly lines: string[];
  readonly jobs: OneTenantJobs;

  private constructor(service: Service, spool: string, lines: string[], jobs: OneTenantJobs) {
    this.service = service;
    this.jobs = jobs;
    this.spool = spool;
    this.lines = lines;
    const { port } = service.app.server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start({ tenants, env, services, modules }: KeyedOptions): Promise<KeyedService> {
    const spool = await mkdtemp(join(tmpdir(), 'stt-keyed-test-'));
    const lines: string[] = [];
    const entries = Object.entries(tenants).map(([tenant, limits]) => [
      tenant,
      { keys: [hashKey(keyOf(tenant))], ...limits },
    ]);
    const keys = JSON.stringify({ tenants: Object.fromEntries(entries) });
    const settings = { API_KEYS: keys, SPOOL_DIR: spool, DATA_DIR: spool, METRICS_TOKEN: OPERATOR };
    const config = loadConfig({ ...settings, ...env });
    const slot = new EngineSlot();
    await slot.load(async () => ({
      executor: new LocalExecutor({ audioRoot: spool, services: () => services }),
      model: 'fake-whisper',
      device: 'cpu',
      languages: services.recognizer.languages,
      stats: () => null,
      close: async () => undefined,
    }));
    const jobs = new OneTenantJobs();
    const service = await createService({
      config,
      logger: createLogger('debug', { write: (line) => void lines.push(line) }),
      version: '0.0.0',
      keys: await readKeyRing(config.service),
      slot,
      asyncJobs: jobs,
      ...(modules && { modules: modules(config) }),
    });
    await service.app.listen({ host: '127.0.0.1', port: 0 });
    return new KeyedService(service, spool, lines, jobs);
  }

  async stop(): Promise<void> {
    this.service.app.server.closeAllConnections();
    await this.service.app.close();
    await rm(this.spool, { recursive: true, force: true });
  }

  ask(tenant: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${keyOf(tenant)}`, ...init.headers };
    return fetch(this.url + path, { ...init, headers });
  }

  upload(
    tenant: string,
    fields: Readonly<Record<string, string>> = {},
    init: RequestInit & { readonly path?: string } = {},
  ): Promise<Response> {
    const { path = '/stt/upload', ...rest } = init;
    const body = new FormData();
    body.append('file', WAV, 'meeting.wav');
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    return this.ask(tenant, path, { ...rest, method: 'POST', body });
  }

  audioSecOf(tenant: string): number {
    return this.service.context.admission.audioSecToday(tenant);
  }
}

export const outcomeOf = async (response: Response) => {
  const { error } = JSON.parse(await response.text());
  return [response.status, error?.code];
};
