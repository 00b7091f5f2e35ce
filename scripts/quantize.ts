import { copyFile, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeQuantizedSafetensors } from '../models/graph/quantize.ts';
import { errorCode } from '../models/hub/disk.ts';
import { readWhisperCheckpoint } from '../models/whisper/checkpoint.ts';

const USAGE = 'Usage: npm run quantize -- SOURCE_FOLDER TARGET_FILE\n';
const COMPANIONS = ['config.json', 'generation_config.json', 'tokenizer.json'];

const [sourceFolder, targetFile] = process.argv.slice(2);
if (sourceFolder === undefined || targetFile === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const { tensors } = await readWhisperCheckpoint(sourceFolder);
let shownPercent = 0;
const targetFolder = dirname(targetFile);
await mkdir(targetFolder, { recursive: true });
await writeQuantizedSafetensors(tensors, targetFile, (doneBytes, totalBytes) => {
  const percent = Math.floor((100 * doneBytes) / totalBytes);
  if (percent >= shownPercent + 10) process.stderr.write(`${percent} %\n`);
  if (percent >= shownPercent + 10) shownPercent = percent;
});
for (const name of COMPANIONS) {
  await copyFile(join(sourceFolder, name), join(targetFolder, name)).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
    process.stderr.write(`${name} is not in the source folder\n`);
  });
}
process.stderr.write(`Wrote ${basename(targetFile)}\n`);
