import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../core/config.ts';
import { homeOf } from './options.ts';

/** `HF_TOKEN`, else what `hf auth login` has written down; undefined without either. */
export async function tokenOf(hub: Config['hub']): Promise<string | undefined> {
  if (hub.token !== undefined) return hub.token;
  const path = hub.tokenPath ?? join(homeOf(hub), 'token');
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim() || undefined;
}
