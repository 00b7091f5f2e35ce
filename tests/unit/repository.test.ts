import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../core/errors.ts';
import manifest from '../../package.json' with { type: 'json' };

/** What the documents and the files for deployment say must be true of the rest of the project. */
const ROOT = join(import.meta.dirname, '../..');
const NOT_OURS = new Set(['node_modules', '.git', '.cache', 'out']);
/** Files that a document may announce: the results of measurements, and the next decision. */
const NOT_YET_WRITTEN = new Set(['docs/decisions/NNNN-title.md']);
const BINARY = /\.(?:wav|onnx|safetensors)$/;

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const exists = (file: string): boolean => existsSync(join(ROOT, file));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (NOT_OURS.has(entry.name)) return [];
    if (entry.isDirectory()) return filesBelow(path);
    return [relative(ROOT, path).replaceAll(sep, '/')];
  });
}

const files = filesBelow(ROOT);
const documents = files.filter((file) => file.endsWith('.md'));
const dockerfile = textOf('Dockerfile');
const variables = new Set(
  [...textOf('.env.example').matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map(first),
);

function first([, group]: RegExpMatchArray): string {
  return group!;
}

/** Matches of the first group in every file, each with the file that holds it. */
const mentions = (inFiles: readonly string[], pattern: RegExp): [string, string][] =>
  inFiles.flatMap((file) =>
    [...textOf(file).matchAll(pattern)].map((match): [string, string] => [file, first(match)]),
  );

describe('documents', () => {
  test('every npm script that is mentioned exists', () => {
    const runs = mentions([...documents, '.ci/run'], /\bnpm run ([a-z][\w:-]*)/g);
    const shortcuts = mentions(documents, /\bnpm (start|test)\b/g);
    const unknown = [...runs, ...shortcuts].filter(([, script]) => !(script in manifest.scripts));
    expect(runs.length).toBeGreaterThan(0);
    expect(unknown).toEqual([]);
  });

  test('every script file that package.json runs exists', () => {
    const started = Object.values(manifest.scripts).flatMap((command) =>
      [...command.matchAll(/(?:^|\s)(?:\.\/)?([\w/.-]+\.(?:ts|mjs))\b/g)].map(first),
    );
    expect(started.filter((file) => !exists(file))).toEqual([]);
  });

  test('every relative link leads to a file, and every anchor to a heading', () => {
    const links = mentions(documents, /\]\(([^)\s]+)\)/g);
    const broken = links.filter(([file, link]) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      return !exists(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(links.length).toBeGreaterThan(0);
    expect(broken).toEqual([]);
  });

  test('every file of the project that is named in backticks exists', () => {
    const named = mentions(
      documents,
      /`((?:handler|pipeline|models|audio|core|tests|bench|scripts|samples|docs|\.runpod|\.ci)\/[\w./-]*)`/g,
    );
    expect(named.filter(([, path]) => !NOT_YET_WRITTEN.has(path) && !exists(path))).toEqual([]);
  });

  test('the folder tree of the README has every folder with code, and no other', () => {
    const tree = textOf('README.md').split('## Folders')[1]!.split('```')[1]!;
    const listed = [...tree.matchAll(/^([a-z]+)\/ +\S/gm)].map(first);
    const inside = files.filter((file) => /\.ts$|^samples\/|^docs\//.test(file));
    const folders = new Set(
      inside.filter((file) => file.includes('/')).map((file) => file.split('/')[0]!),
    );
    expect(listed.toSorted()).toEqual([...folders].toSorted());
  });

  test('every variable in a table of settings is one that is read', () => {
    const warnings = new Set(
      mentions(['docs/errors.md'], /^- `([A-Z_]+)`:/gm).map(([, name]) => name),
    );
    const settings = mentions(
      ['README.md', 'README.ko.md', 'docs/deployment.md', 'docs/monitoring.md'],
      /`([A-Z]+_[A-Z_]+)(?:=\w+)?`/g,
    )
      .map(([, name]) => name)
      .filter((name) => !(name in ERROR_CODES) && !warnings.has(name))
      .filter((name) =>
        /^(?:WHISPER|HF|RUNPOD|AUDIO|MAX|ALLOW|FETCH|SPOOL|FFMPEG_PATH|ENGINE_THREADS|LOG|MODEL_VOLUME)/.test(
          name,
        ),
      );
    expect(settings.length).toBeGreaterThan(20);
    expect(settings.filter((name) => !variables.has(name))).toEqual([]);
  });

  test('AGENTS.md and the decisions are short', () => {
    const longerThan = (lines: number) => (file: string) =>
      textOf(file).trimEnd().split('\n').length > lines;
    expect(['AGENTS.md'].filter(longerThan(80))).toEqual([]);
    expect(
      files.filter((file) => file.startsWith('docs/decisions/')).filter(longerThan(60)),
    ).toEqual([]);
  });
});

/** As GitHub makes them from headings. */
function anchorsOf(file: string): string[] {
  return [...textOf(file).matchAll(/^#+ (.+)$/gm)].map((match) =>
    first(match)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('image', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
    first(match).split(' '),
  );

  test('everything that is copied exists and is not ignored', () => {
    const allowed = [...textOf('.dockerignore').matchAll(/^!(.+)$/gm)].map(first);
    expect(copied.length).toBeGreaterThan(0);
    expect(copied.filter((path) => !exists(path))).toEqual([]);
    expect([...new Set(copied)].toSorted()).toEqual(allowed.toSorted());
  });

  test('the folders that the entry point needs are in it', () => {
    expect(copied).toEqual(
      expect.arrayContaining(['handler', 'pipeline', 'models', 'audio', 'core']),
    );
    expect(first(/^CMD \["node", "([^"]+)"\]$/m.exec(dockerfile)!)).toBe('handler/main.ts');
  });

  test('ONNX Runtime has the version of package.json', () => {
    const version = first(/^ARG ONNXRUNTIME_VERSION=(.+)$/m.exec(dockerfile)!);
    expect(version).toBe(manifest.dependencies['onnxruntime-node']);
  });

  test('base images are pinned to full versions', () => {
    const images = [...dockerfile.matchAll(/^ARG \w+_IMAGE=(.+)$/gm)].map(first);
    expect(images.length).toBe(2);
    expect(images.filter((image) => !/:\d+\.\d+\.\d+-/.test(image))).toEqual([]);
  });

  test('it does not run as root', () => {
    const users = [...dockerfile.matchAll(/^USER (.+)$/gm)].map(first);
    expect(users).toEqual(['10001:10001']);
  });

  test('its environment consists of variables that are read', () => {
    const block = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile)!;
    const names = [...first(block).matchAll(/([A-Z_]+)=/g)].map(first);
    expect(names.filter((name) => name !== 'NODE_ENV' && !variables.has(name))).toEqual([]);
  });
});

describe('image of the service', () => {
  const check = first(/^HEALTHCHECK .*CMD (\[.+\])$/m.exec(dockerfile)!);

  test('the health check is a program that reads variables that are read', () => {
    const [program, flag, source] = JSON.parse(check) as string[];
    expect([program, flag]).toEqual(['node', '-e']);
    expect(() => new Script(source!)).not.toThrow();
    const names = [...first(/const \{ (.+?) \} = process\.env/.exec(source!)!).split(', ')];
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !variables.has(name))).toEqual([]);
  });

  test('the port and the route of the health check are those of the service', () => {
    const port = first(/^const DEFAULT_PORT = (\d+);$/m.exec(textOf('handler/http/listen.ts'))!);
    expect(first(/^EXPOSE (\d+)$/m.exec(dockerfile)!)).toBe(port);
    expect(check).toContain(`|| ${port}}/health`);
    expect(textOf('handler/http/health-routes.ts')).toContain("app.get('/health'");
  });

  test('folders that are written belong to its user, and the data outlive the container', () => {
    const owned = first(/install -d -o stt -g stt (.+)$/m.exec(dockerfile)!).split(' ');
    const written = [...dockerfile.matchAll(/\b(?:HF_HOME|SPOOL_DIR|DATA_DIR)=(\S+)/g)].map(first);
    expect(written.toSorted()).toEqual(owned.toSorted());
    expect(first(/^VOLUME (\S+)$/m.exec(dockerfile)!)).toBe(
      first(/DATA_DIR=(\S+)/.exec(dockerfile)!),
    );
  });

  test('no browser is in it', () => {
    expect(dockerfile).toContain('npm ci --omit=dev');
    expect(dockerfile).not.toMatch(/chromium|chrome|playwright/i);
    expect(manifest.dependencies).not.toHaveProperty('playwright-core');
  });
});

describe('files for RunPod', () => {
  const hub = JSON.parse(textOf('.runpod/hub.json'));
  const hubTests = JSON.parse(textOf('.runpod/tests.json'));

  test('hub.json describes a queue worker with settings that are read', () => {
    expect(hub).toMatchObject({ type: 'serverless', category: 'audio', config: { runsOn: 'GPU' } });
    expect(hub.config).not.toHaveProperty('endpointType');
    const names = hub.config.env.map(({ key }: { key: string }) => key);
    expect(names.filter((name: string) => !variables.has(name))).toEqual([]);
  });

  test('tests.json transcribes a sample that is in the image', () => {
    const env: { key: string; value: string }[] = hubTests.config.env;
    const root = env.find(({ key }) => key === 'AUDIO_ROOT')!.value.replace(/^\/app\//, '');
    expect(env.filter(({ key }) => !variables.has(key))).toEqual([]);
    for (const { input, timeout } of hubTests.tests) {
      expect(exists(join(root, input.audio_url))).toBe(true);
      expect(timeout).toBeGreaterThan(0);
    }
  });

  test('runpod.toml sets variables that are read', () => {
    const table = textOf('runpod.toml').split('[project.env_vars]\n')[1]!.split('\n\n')[0]!;
    const names = [...table.matchAll(/^([A-Z_]+) = /gm)].map(first);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !variables.has(name))).toEqual([]);
  });

  test('runpod.toml, the capacity guide and the deployment guide give the same advice', () => {
    const endpoint = textOf('runpod.toml').split('\n[endpoint]\n')[1]!;
    const settingOf = (name: string) =>
      new RegExp(`^${name} = "?([^"\n]+)"?$`, 'm').exec(endpoint)?.[1];
    const scaler = `\`${settingOf('scaler_type')}\` ${settingOf('scaler_value')}`;
    const idle = settingOf('idle_timeout');
    const files = /^\| files .*$/m.exec(textOf('docs/capacity.md'))?.[0].replaceAll(/ +/g, ' ');
    expect(files).toContain(`| files | ${scaler} |`);
    expect(files).toContain(`| ${idle} s |`);
    const guide = textOf('docs/deployment.md').replaceAll(/ +/g, ' ');
    expect(guide).toContain(`| idle timeout | ${idle} s |`);
    const workers = `${settingOf('active_workers')} / ${settingOf('max_workers')}`;
    expect(guide).toContain(`| active / max workers | ${workers} `);
  });

  test('runpod.toml consists of tables and simple values, each key once', () => {
    const lines = textOf('runpod.toml')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const value = String.raw`(?:"[^"]*"|\d+|true|false|\["[^"]*"(?:, "[^"]*")*\])`;
    const line = new RegExp(String.raw`^(?:\[[a-z_.]+\]|[A-Za-z_]+ = ${value})$`);
    expect(lines.filter((text) => !line.test(text))).toEqual([]);
    expect(new Set(lines.map((text) => text.split(' = ')[0])).size).toBe(lines.length);
  });
});

describe('files', () => {
  test('none mentions a folder of a particular machine', () => {
    const homes = ['work', 'root', 'Users', String.raw`home/\w+`].join('|');
    const machinePath = new RegExp(String.raw`(?<![\w.}])(/(?:${homes})/\w)`, 'g');
    expect(
      mentions(
        files.filter((file) => !BINARY.test(file)),
        machinePath,
      ),
    ).toEqual([]);
  });

  test('the lock file names no registry, so that everyone installs from their own', () => {
    expect(mentions(['package-lock.json'], /"(resolved)": "https?:/g)).toEqual([]);
  });

  test('.ci/run can be executed', () => {
    expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).not.toBe(0);
  });
});
