import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Hooks of `typescript.mjs`. They do nothing to what is no TypeScript, and every file is compiled
 * once for all processes: a general loader takes a second more for each program, and half of one
 * for each thread.
 */
const CACHE = new URL('../node_modules/.cache/strip-types/', import.meta.url);
/** What is compiled otherwise than before has another name. */
const COMPILER = readFileSync(new URL(import.meta.url), 'utf8');

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const file = fileURLToPath(url);
  const text = readFileSync(file, 'utf8');
  const name = createHash('sha256').update(`${COMPILER}\n${file}\n${text}`).digest('hex');
  const cached = new URL(`${name}.mjs`, CACHE);
  const source = existsSync(cached) ? readFileSync(cached, 'utf8') : await compile(file, text);
  if (!existsSync(cached)) keep(cached, source);
  return { format: 'module', source, shortCircuit: true };
}

async function compile(file, text) {
  const { transform } = await import('esbuild');
  const sourcemap = { sourcemap: 'inline', sourcesContent: false, sourcefile: file };
  const { code } = await transform(text, { loader: 'ts', target: 'node20.19', ...sourcemap });
  return code;
}

/** Whole or not at all, whoever else does the same; a folder that is read-only costs time only. */
function keep(cached, source) {
  const half = new URL(`${cached.href}.${randomUUID()}`);
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(half, source);
    renameSync(half, cached);
  } catch {}
}
