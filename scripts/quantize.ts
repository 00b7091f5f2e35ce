import { mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { writeQuantizedSafetensors } from '../models/graph/quantize.ts';
import { readWhisperCheckpoint } from '../models/whisper/checkpoint.ts';
import { copyCompanions } from '../models/whisper/companion-files.ts';
import { quantizedForm } from '../models/whisper/quantized-form.ts';

const USAGE = 'Usage: npm run quantize -- SOURCE_FOLDER TARGET_FILE\n';

const [sourceFolder, targetFile] = process.argv.slice(2);
if (sourceFolder === undefined || targetFile === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const checkpoint = await readWhisperCheckpoint(sourceFolder);
let shownPercent = 0;
const targetFolder = dirname(targetFile);
await mkdir(targetFolder, { recursive: true });
const onProgress = (doneBytes: number, totalBytes: number): void => {
  const percent = Math.floor((100 * doneBytes) / totalBytes);
  if (percent >= shownPercent + 10) process.stderr.write(`${percent} %\n`);
  if (percent >= shownPercent + 10) shownPercent = percent;
};
await writeQuantizedSafetensors(
  checkpoint.tensors,
  targetFile,
  quantizedForm(checkpoint),
  onProgress,
);
await copyCompanions(sourceFolder, targetFolder);
process.stderr.write(`Wrote ${basename(targetFile)}\n`);
