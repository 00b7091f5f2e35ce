import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import { describeIssues } from '../input-issues.ts';
import { isWebhookSecret, WEBHOOK_SECRET_FORM } from '../webhooks/webhook-secrets.ts';
import { type KeyEntry, KeyRing } from './key-ring.ts';

const MEBIBYTE = 1024 * 1024;
/** One in use and one on its way in or out. */
const MAX_KEYS_PER_TENANT = 2;

const TenantId = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'expected 1-64 letters, digits, _, . or -');
const KeyHash = z
  .string()
  .transform((text) => text.replace(/^sha256:/i, '').toLowerCase())
  .pipe(z.string().regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 of a key: 64 hex digits'));

const WebhookSecret = z.string().refine(isWebhookSecret, WEBHOOK_SECRET_FORM);

const TenantEntry = z.strictObject({
  keys: z.array(KeyHash).min(1).max(MAX_KEYS_PER_TENANT),
  requests_per_minute: z.number().int().min(1).optional(),
  concurrent_jobs: z.number().int().min(1).optional(),
  queued_jobs: z.number().int().min(0).optional(),
  audio_minutes_per_day: z.number().positive().optional(),
  max_upload_mb: z.number().positive().optional(),
  stored_upload_mb: z.number().positive().optional(),
  keep_live_audio: z.boolean().optional(),
  webhook_secrets: z.array(WebhookSecret).max(MAX_KEYS_PER_TENANT).default([]),
});

const KeysDocument = z
  .strictObject({ tenants: z.record(TenantId, TenantEntry) })
  .superRefine(({ tenants }, context) => {
    const hashes = Object.values(tenants).flatMap(({ keys }) => keys);
    if (new Set(hashes).size === hashes.length) return;
    context.addIssue({ code: 'custom', path: ['tenants'], message: 'a key stands there twice' });
  });

export type KeysDocument = z.output<typeof KeysDocument>;

type Settings = Pick<Config['service'], 'apiKeys' | 'apiKeysFile' | 'tenantDefaults'>;

/**
 * The keys of API_KEYS_FILE and API_KEYS; undefined where neither is set.
 * @throws {SttError} INPUT_INVALID naming the variable and what is wrong, never a hash.
 */
export async function readKeyRing(settings: Settings): Promise<KeyRing | undefined> {
  const { apiKeys, apiKeysFile, tenantDefaults } = settings;
  if (apiKeys !== undefined && apiKeysFile !== undefined) {
    throw new SttError('INPUT_INVALID', 'Set one of API_KEYS and API_KEYS_FILE, not both');
  }
  if (apiKeysFile !== undefined) {
    const text = await readFile(apiKeysFile, 'utf8').catch((cause: unknown) => {
      throw new SttError('INPUT_INVALID', 'API_KEYS_FILE cannot be read', { cause });
    });
    return keyRingOf(parseKeys(text, 'API_KEYS_FILE'), tenantDefaults);
  }
  if (apiKeys === undefined) return undefined;
  return keyRingOf(parseKeys(apiKeys, 'API_KEYS'), tenantDefaults);
}

/**
 * The document with tenants and hashes, or the short form `tenant=hash,tenant=hash`.
 * @throws {SttError} INPUT_INVALID
 */
export function parseKeys(text: string, source: string): KeysDocument {
  const parsed = KeysDocument.safeParse(
    text.trimStart().startsWith('{') ? jsonOf(text, source) : documentOf(text),
  );
  if (parsed.success) return parsed.data;
  throw new SttError('INPUT_INVALID', `${source}: ${describeIssues(parsed.error.issues)}`);
}

function jsonOf(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SttError('INPUT_INVALID', `${source} is not JSON`);
  }
}

function documentOf(text: string): unknown {
  const tenants: Record<string, { keys: string[] }> = {};
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [tenant = '', hash = ''] = entry.split('=');
    if (Object.hasOwn(tenants, tenant)) tenants[tenant]?.keys.push(hash);
    else tenants[tenant] = { keys: [hash] };
  }
  return { tenants };
}

function keyRingOf({ tenants }: KeysDocument, defaults: Settings['tenantDefaults']): KeyRing {
  const entries = Object.entries(tenants).map(([id, entry]): KeyEntry => {
    const limits = {
      requestsPerMin: entry.requests_per_minute ?? defaults.requestsPerMin,
      concurrentJobs: entry.concurrent_jobs ?? defaults.concurrentJobs,
      queuedJobs: entry.queued_jobs ?? defaults.queuedJobs,
      audioMinPerDay: entry.audio_minutes_per_day ?? defaults.audioMinPerDay,
      maxUploadBytes: bytesOf(entry.max_upload_mb),
      storedUploadBytes: bytesOf(entry.stored_upload_mb) ?? defaults.storedUploadBytes,
      keepsLiveAudio: entry.keep_live_audio,
    };
    return { tenant: { id, limits }, keyHashes: entry.keys, webhookSecrets: entry.webhook_secrets };
  });
  return new KeyRing(entries);
}

const bytesOf = (mebibytes: number | undefined): number | undefined =>
  mebibytes === undefined ? undefined : Math.floor(mebibytes * MEBIBYTE);
