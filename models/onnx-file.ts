import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SttError } from '../core/errors.ts';

/** Where a network lies in its folder: as people export it, or as the Hub's ONNX community keeps it. */
export const ONNX_PATHS = ['model.onnx', 'onnx/model.onnx'] as const;

/** @throws {SttError} MODEL_NOT_FOUND. */
export function onnxFileIn(folder: string): string {
  const file = ONNX_PATHS.map((path) => join(folder, path)).find((path) => existsSync(path));
  if (file !== undefined) return file;
  throw new SttError('MODEL_NOT_FOUND', `The model folder has no ${ONNX_PATHS.join(' or ')}`);
}
