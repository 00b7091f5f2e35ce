import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { hashKey } from '../handler/tenants/key-ring.ts';
import { parseKeys } from '../handler/tenants/read-keys.ts';

/** `npm run keys -- create --tenant X`: a new key on stdout, once, and the hash to keep. */

const USAGE = 'Usage: npm run keys -- create --tenant NAME\n';
/** 256 bits: no number of guesses finds it, so its hash needs neither salt nor slowness. */
const KEY_BYTES = 32;

function createKey(tenant: string): string {
  const key = `stt_${randomBytes(KEY_BYTES).toString('base64url')}`;
  const hash = hashKey(key);
  parseKeys(`${tenant}=${hash}`, '--tenant');
  const entry = JSON.stringify({ tenants: { [tenant]: { keys: [`sha256:${hash}`] } } }, null, 2);
  return [
    `Key, shown only now:  ${key}`,
    `For API_KEYS:         ${tenant}=${hash}`,
    `For API_KEYS_FILE:    ${entry}`,
    'A tenant has up to two keys: add the new one, move its clients, remove the old one.',
    '',
  ].join('\n');
}

function main(argv: readonly string[]): number {
  try {
    const options = { tenant: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    if (positionals.join(' ') !== 'create' || values.tenant === undefined) throw new Error(USAGE);
    process.stdout.write(createKey(values.tenant));
    return 0;
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message.trimEnd() : USAGE}\n`);
    return 2;
  }
}

process.exitCode = main(process.argv.slice(2));
