import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../../../fixtures');

/** A line of a table: under which heading it stands, what is given and what is expected. */
export interface TableRow {
  readonly heading: string;
  readonly given: string;
  /** As given, where the line has no arrow. */
  readonly expected: string;
}

/** The rows of a text file below tests/fixtures: `# heading`, and `given → expected` or `unchanged`. */
export function tableOf(name: string): TableRow[] {
  let heading = '';
  return readFileSync(join(FIXTURES, name), 'utf8')
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('# ')) heading = line.slice(2);
      if (line === '' || line.startsWith('# ')) return [];
      const [given = '', expected = given] = line.split(' → ');
      return { heading, given, expected };
    });
}
