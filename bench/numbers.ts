import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { koreanNumbersToDigits } from '../pipeline/postprocess/korean/numbers-to-digits.ts';
import { textOf } from '../pipeline/postprocess/pieces.ts';
import { countNumberErrors } from './number-errors.ts';

/**
 * How many of the numbers of Korean sentences `numbers: "digits"` writes, and how many that nobody
 * said. A file has a sentence a line as it is said and as it is written, with a tab or an arrow
 * between them.
 */
const { values } = parseArgs({
  options: {
    file: {
      type: 'string',
      multiple: true,
      default: [
        '../shared/text/korean-numbers.tsv',
        'tests/fixtures/korean/spoken-in-talk.txt',
        'tests/fixtures/korean/spoken-in-notices.txt',
      ],
    },
    /** Also prints the sentences with a number missing or invented. */
    verbose: { type: 'boolean', default: false },
  },
});

const ROOT = join(import.meta.dirname, '..');
const print = (text: string): void => void process.stdout.write(`${text}\n`);

print('| file | sentences | numbers | found | invented |\n|---|---|---|---|---|');
const missed = values.file.flatMap(measure);
if (values.verbose) print(['', ...missed].join('\n'));

function measure(path: string): string[] {
  const name = basename(path);
  const file = join(ROOT, path);
  if (!existsSync(file)) {
    print(`| ${name} | not measured: the file is not there |`);
    return [];
  }
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(/\t| → /))
    .filter(([, written = 'written']) => written.trim() !== 'written');
  const results = rows.map(([spoken = '', written = '']) => {
    const text = textOf(koreanNumbersToDigits(piecesOf(spoken)));
    return { ...countNumberErrors(written, text), text, written };
  });
  const sum = (key: 'expected' | 'found' | 'invented'): number =>
    results.reduce((total, result) => total + result[key], 0);
  const share = (part: number): string => (part / sum('expected')).toFixed(3);
  const [found, invented] = [sum('found'), sum('invented')];
  print(
    `| ${name} | ${rows.length} | ${sum('expected')} | ${found} (${share(found)}) | ${invented} (${share(invented)}) |`,
  );
  return results
    .filter((result) => result.found < result.expected || result.invented > 0)
    .map(({ text, written }) => `- ${written}\n  ${text}`);
}

function piecesOf(text: string) {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => ({ text: word, spaceBefore: true, words: [] }));
}
