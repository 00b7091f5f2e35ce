import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { hashKey } from '../../../handler/tenants/key-ring.ts';
import { type LoopbackServer, startLoopbackServer } from '../../fakes/loopback-server.ts';
import { PROJECT_ROOT } from '../../fakes/program.ts';
import { wavBytes } from '../../fakes/wav-bytes.ts';
import { type RunningService, startService } from './service-process.ts';

export const KEYS = {
  acme: 'stt_key_of_acme',
  rival: 'stt_key_of_rival',
  small: 'stt_key_of_small',
};
export type Tenant = keyof typeof KEYS;
export const OPERATOR = 'token-of-the-operator';
/** What must never be in a log. */
export const SIGNATURE = 'c4nary-of-a-signed-url';
export const PROMPT = 'c4nary of a prompt';
export const FILE_NAME = 'c4nary-of-a-file-name';
export const secretOf = (tenant: Tenant): string =>
  `whsec_${Buffer.from(`the webhook secret of ${tenant}`.padEnd(32)).toString('base64')}`;

const SAMPLE = readFileSync(join(PROJECT_ROOT, 'samples/meeting-en.wav'));
/** The first seconds of the sample. */
export const seconds = (count: number): Buffer => SAMPLE.subarray(0, 44 + count * 32_000);
const SHORT = seconds(5);
export const SILENCE = wavBytes(new Int16Array(1600));

export const jsonOf = async (answer: Response | Promise<Response>) =>
  JSON.parse(await (await answer).text());

export const outcomeOf = async (answer: Promise<Response>) => {
  const response = await answer;
  return [response.status, (await jsonOf(response)).error?.code];
};

interface UploadInit extends RequestInit {
  readonly bytes?: Buffer;
}

/** The whole service with three tenants in a process of its own, and a receiver of its messages. */
export class LiveTenants {
  readonly folder: string;
  readonly receiver: LoopbackServer;
  readonly received: { readonly body: string; readonly headers: Record<string, string> }[];
  service!: RunningService;

  private constructor(folder: string, receiver: LoopbackServer, received: LiveTenants['received']) {
    this.folder = folder;
    this.receiver = receiver;
    this.received = received;
  }

  static async open(): Promise<LiveTenants> {
    const folder = await mkdtemp(join(tmpdir(), 'stt-live-tenants-'));
    for (const each of ['spool', 'audio/acme', 'audio/rival']) {
      await mkdir(join(folder, each), { recursive: true });
    }
    await writeFile(join(folder, 'audio/acme/own.wav'), SHORT);
    const received: LiveTenants['received'] = [];
    const receiver = await startLoopbackServer(async (request, response) => {
      if (request.method === 'GET') return void response.writeHead(200).end(SHORT);
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      received.push({ body: await text(request), headers });
      response.writeHead(204).end();
    });
    const tenants = new LiveTenants(folder, receiver, received);
    await tenants.start();
    return tenants;
  }

  /** A process on the files of the one before. */
  async start(): Promise<void> {
    const generous = { requests_per_minute: 1_000_000, concurrent_jobs: 100, queued_jobs: 1000 };
    const entry = (tenant: Tenant, limits: object) => ({
      [tenant]: { keys: [hashKey(KEYS[tenant])], webhook_secrets: [secretOf(tenant)], ...limits },
    });
    const tenants = {
      ...entry('acme', { ...generous, keep_live_audio: true }),
      ...entry('rival', generous),
      ...entry('small', { requests_per_minute: 2 }),
    };
    this.service = await startService({
      API_KEYS: JSON.stringify({ tenants }),
      METRICS_TOKEN: OPERATOR,
      AUDIO_ROOT: join(this.folder, 'audio'),
      SPOOL_DIR: join(this.folder, 'spool'),
      DATA_DIR: join(this.folder, 'data'),
      MAX_QUEUED_JOBS: '100000',
      ALLOW_HTTP_URLS: '1',
      ALLOW_PRIVATE_URLS: '1',
      LOG_LEVEL: 'debug',
    });
  }

  async close(): Promise<void> {
    this.service.child.kill('SIGTERM');
    await this.service.ended;
    await this.receiver.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  ask(tenant: Tenant, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${KEYS[tenant]}`, ...init.headers };
    return fetch(this.service.url + path, { ...init, headers });
  }

  upload(
    tenant: Tenant,
    fields: Readonly<Record<string, string>> = {},
    { bytes = SHORT, ...init }: UploadInit = {},
  ): Promise<Response> {
    const body = new FormData();
    const quick = { diarize: 'false', word_timestamps: 'false' };
    for (const [name, value] of Object.entries({ ...quick, ...fields })) body.append(name, value);
    body.append('file', new Blob([new Uint8Array(bytes)]), `${FILE_NAME}.wav`);
    return this.ask(tenant, '/stt/upload', { ...init, method: 'POST', body });
  }

  processAudio(tenant: Tenant, fields: Readonly<Record<string, unknown>>): Promise<Response> {
    return this.ask(tenant, '/stt/process', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ diarize: false, word_timestamps: false, ...fields }),
    });
  }

  /** The id of a job that was accepted. */
  async accepted(
    tenant: Tenant,
    fields: Readonly<Record<string, string>> = {},
    init: UploadInit = {},
  ): Promise<string> {
    const response = await this.upload(tenant, { async: 'true', ...fields }, init);
    expect(response.status).toBe(202);
    return (await jsonOf(response)).job_id;
  }

  async settled(tenant: Tenant, id: string) {
    await (await this.ask(tenant, `/stt/jobs/${id}/events`)).text();
    return jsonOf(this.ask(tenant, `/stt/jobs/${id}`));
  }
}
