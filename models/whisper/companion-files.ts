import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SLOW_TOKENIZER_FILES, TOKENIZER_FILE } from './tokenizer-files.ts';

/** What is read of a checkpoint beside its weights; not every one has all of it. */
const COMPANIONS = [
  'config.json',
  'generation_config.json',
  TOKENIZER_FILE,
  ...SLOW_TOKENIZER_FILES,
];

/** Copies what a checkpoint has beside its weights into another folder. */
export async function copyCompanions(source: string, target: string): Promise<void> {
  for (const name of COMPANIONS) {
    await copyFile(join(source, name), join(target, name)).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    });
  }
}
