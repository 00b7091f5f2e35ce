import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `npm run size`: TypeScript files and lines per folder, and lines of test per line of source. */
const SOURCE_FOLDERS = ['core', 'audio', 'pipeline', 'models', 'handler'];
const OTHER_FOLDERS = ['tests', 'bench', 'scripts'];

interface FolderSize {
  readonly folder: string;
  readonly files: number;
  readonly lines: number;
  readonly longestFile: string;
}

function sizeOf(folder: string): FolderSize {
  const paths = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
    : [];
  const files = paths
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, lines: readFileSync(path, 'utf8').trimEnd().split('\n').length }))
    .sort((a, b) => b.lines - a.lines);
  const longest = files[0];
  return {
    folder: `${folder}/`,
    files: files.length,
    lines: files.reduce((sum, { lines }) => sum + lines, 0),
    longestFile: longest ? `${longest.path} (${longest.lines})` : '',
  };
}

const linesOf = (sizes: readonly FolderSize[]): number =>
  sizes.reduce((sum, { lines }) => sum + lines, 0);

const printRow = (columns: readonly [string, string, string, string]): void => {
  const [folder, files, lines, longest] = columns;
  process.stdout.write(
    `${folder.padEnd(10)} ${files.padStart(6)} ${lines.padStart(7)}  ${longest}\n`,
  );
};

const source = SOURCE_FOLDERS.map(sizeOf);
const others = OTHER_FOLDERS.map(sizeOf);
printRow(['folder', 'files', 'lines', 'longest file']);
for (const { folder, files, lines, longestFile } of [...source, ...others]) {
  printRow([folder, String(files), String(lines), longestFile]);
}
const testLines = linesOf(others.slice(0, 1));
const sourceLines = linesOf(source);
printRow([
  'source',
  '',
  String(sourceLines),
  `tests / source ${(testLines / sourceLines).toFixed(2)}`,
]);
