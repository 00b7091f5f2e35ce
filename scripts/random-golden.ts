import { join } from 'node:path';
import { RANDOM_CHECKPOINTS } from '../tests/fixtures/random-checkpoints.ts';
import { writeRandomCheckpoint } from './random-checkpoint.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write(
    'Usage: node --import ./scripts/typescript.mjs scripts/random-golden.ts FOLDER\n',
  );
  process.exit(2);
}
for (const [name, options] of Object.entries(RANDOM_CHECKPOINTS)) {
  await writeRandomCheckpoint(join(folder, name.replaceAll(' ', '_')), options);
}
