type Cell = string | number | undefined;

/** Prints one table in Markdown, ready for a document. */
export function printTable(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): void {
  const line = (cells: readonly Cell[]): string =>
    `| ${cells.map((cell) => cell ?? '–').join(' | ')} |\n`;
  process.stdout.write(`\n## ${title}\n\n${line(columns)}${line(columns.map(() => '---'))}`);
  for (const row of rows) process.stdout.write(line(row));
}

/** Three digits are what such a measurement is good for. */
export const rounded = (value: number): number => Number(value.toPrecision(3));
