import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Who may import what. `handler/main.ts` is the composition root and may import everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: ['core/'],
  audio: ['audio/', 'core/'],
  pipeline: ['pipeline/', 'audio/', 'core/'],
  models: ['models/', 'pipeline/contracts.ts', 'audio/', 'core/'],
  handler: ['handler/', 'pipeline/', 'audio/', 'core/'],
};
/** Tells the runtime's native part what it takes from nowhere else. */
const RUNTIME_ENVIRONMENT = 'models/engine/runtime-environment.ts';
const RUNTIME = 'models/engine/onnxruntime.ts';
const COMPOSITION_ROOT = 'handler/main.ts';

/** Packages with an owner; the rest of the code reaches them through that layer. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['models'],
  'onnxruntime-common': ['models'],
  'onnx-proto': ['models'],
  '@huggingface/': ['models'],
  pino: ['core'],
  zod: ['core', 'handler', 'models'],
  undici: ['audio', 'handler', 'models'],
  'ipaddr.js': ['audio'],
  'ffmpeg-static': ['audio'],
  'cli-progress': ['handler'],
  'get-east-asian-width': ['handler'],
  'runpod-sdk': ['handler'],
  aws4fetch: ['handler'],
  fastify: ['handler'],
  '@fastify/': ['handler'],
  'prom-client': ['handler'],
  libsql: ['handler'],
  pg: ['handler'],
  standardwebhooks: ['handler'],
};

/** All that pipeline may take from Node: it computes, and reads and writes nothing. */
const PIPELINE_BUILTINS = ['node:zlib'];

const LAYERS = Object.keys(MAY_IMPORT);
const FOLDERS = [...LAYERS, 'tests', 'bench', 'scripts'];
const MAX_LINES = 300;

const ROOT = join(import.meta.dirname, '..');
const entriesOf = (folder: string): string[] =>
  existsSync(join(ROOT, folder))
    ? readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name).replaceAll(sep, '/'),
      )
    : [];
const isTypeScript = (path: string): boolean => path.endsWith('.ts');
const sourceFiles = LAYERS.flatMap(entriesOf).filter(isTypeScript);
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const layerOf = (file: string): string => file.split('/')[0]!;

/** What a file imports: our own files by their path from the root, packages by their name. */
function importsOf(file: string): string[] {
  const statements = textOf(file).matchAll(
    /^(?:import|export)\b[^;'"]*\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^'$]+)'\)/gm,
  );
  return [...statements].map(([, from, bare, dynamic]) => {
    const specifier = (from ?? bare ?? dynamic)!;
    return specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
  });
}

const importGraph = new Map(sourceFiles.map((file) => [file, importsOf(file)]));
const isOwnFile = (specifier: string): boolean => LAYERS.includes(layerOf(specifier));
const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier);

function ownersOf(packageName: string): readonly string[] {
  const owned = Object.keys(PACKAGE_OWNERS).find(
    (name) =>
      packageName === name || packageName.startsWith(name.endsWith('/') ? name : `${name}/`),
  );
  return owned === undefined ? [] : PACKAGE_OWNERS[owned]!;
}

/** One line per offence, so that a failing test names them all. */
const offences = (find: (file: string, imports: readonly string[]) => readonly string[]) =>
  [...importGraph].flatMap(([file, imports]) =>
    find(file, imports).map((offence) => `${file}: ${offence}`),
  );

describe('architecture', () => {
  test('a file imports only from the layers below it', () => {
    const found = offences((file, imports) => {
      if (file === COMPOSITION_ROOT) return [];
      const allowed = MAY_IMPORT[layerOf(file)]!;
      return imports
        .filter(isOwnFile)
        .filter((target) => !allowed.some((prefix) => target.startsWith(prefix)));
    });
    expect(found).toEqual([]);
  });

  test('nothing that is shipped imports tests, bench or scripts', () => {
    const found = offences((_, imports) =>
      imports.filter((target) => ['tests', 'bench', 'scripts'].includes(layerOf(target))),
    );
    expect(found).toEqual([]);
  });

  test('a package is imported by its owners only, and every package has one', () => {
    const found = offences((file, imports) =>
      imports
        .filter((specifier) => !isOwnFile(specifier) && !isBuiltin(specifier))
        .filter((name) => !ownersOf(name).includes(layerOf(file))),
    );
    expect(found).toEqual([]);
  });

  test('onnxruntime-node is imported by the module that turns its telemetry off, and nowhere else', () => {
    const found = FOLDERS.flatMap(entriesOf)
      .filter((file) => isTypeScript(file) && file !== RUNTIME)
      .filter((file) => importsOf(file).includes('onnxruntime-node'));
    expect(found).toEqual([]);
  });

  test('pipeline takes nothing from Node but arithmetic', () => {
    const found = offences((file, imports) =>
      layerOf(file) === 'pipeline'
        ? imports.filter((name) => isBuiltin(name) && !PIPELINE_BUILTINS.includes(name))
        : [],
    );
    expect(found).toEqual([]);
  });

  test('pipeline and audio never log', () => {
    const found = offences((file, imports) => {
      if (!['pipeline', 'audio'].includes(layerOf(file))) return [];
      const logs = /\bconsole\.|process\.std(?:out|err)\b/.test(textOf(file)) ? ['writes'] : [];
      return [...imports.filter((target) => target === 'core/logger.ts'), ...logs];
    });
    expect(found).toEqual([]);
  });

  test('the environment is read only where the configuration is loaded', () => {
    const found = offences((file, imports) => {
      const isCode = /^(?!\s*(?:\*|\/\/|\/\*)).*\bprocess\.env\b/m.test(textOf(file));
      const loadsConfig = layerOf(file) === 'handler' && imports.includes('core/config.ts');
      const mayRead =
        [COMPOSITION_ROOT, RUNTIME_ENVIRONMENT].includes(file) ||
        (loadsConfig && /loadConfig/.test(textOf(file)));
      return isCode && !mayRead ? ['reads process.env'] : [];
    });
    expect(found).toEqual([]);
  });

  test('no file imports itself, directly or through others', () => {
    const found = [...importGraph.keys()].flatMap((file) => {
      const cycle = pathBetween(file, file);
      return cycle?.every((other) => other >= file) ? [cycle.join(' → ')] : [];
    });
    expect(found).toEqual([]);
  });

  test(`no file is longer than ${MAX_LINES} lines`, () => {
    const found = FOLDERS.flatMap(entriesOf)
      .filter(isTypeScript)
      .filter((file) => textOf(file).trimEnd().split('\n').length > MAX_LINES);
    expect(found).toEqual([]);
  });

  test('there are no barrels and no folders without a subject', () => {
    const found = FOLDERS.flatMap(entriesOf).filter((path) =>
      /(?:^|\/)(?:index\.ts|utils?(?:\.ts)?|helpers?(?:\.ts)?)(?:\/|$)/.test(path),
    );
    expect(found).toEqual([]);
  });
});

/** The shortest way from one file to another along imports of at least one step. */
function pathBetween(from: string, to: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [from];
  for (const file of queue) {
    for (const target of importGraph.get(file) ?? []) {
      if (target === to) return walkBack(cameFrom, from, file);
      if (!importGraph.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, file);
      queue.push(target);
    }
  }
  return undefined;
}

function walkBack(cameFrom: ReadonlyMap<string, string>, from: string, last: string): string[] {
  const path = [last];
  while (path[0] !== from) path.unshift(cameFrom.get(path[0]!)!);
  return path;
}
