import { readFile } from 'node:fs/promises';
import onnxProto from 'onnx-proto';
import { secToSamples } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import type { SpeakerEmbeddingModel } from '../../pipeline/contracts.ts';
import type { SpeakerFrontEnd } from './front-end.ts';

const { onnx } = onnxProto; // A CommonJS module: its named exports are types only.

/** What follows from how an encoder was trained. */
export interface EncoderKind {
  readonly frontEnd: SpeakerFrontEnd;
  readonly excerptSamples: number;
  readonly sameSpeaker: SpeakerEmbeddingModel['sameSpeaker'];
  readonly knownSpeaker: SpeakerEmbeddingModel['knownSpeaker'];
}

/**
 * GE2E (Wan et al. 2018, Resemblyzer's weights): trained on 160 frames of 10 ms. Across recordings two
 * of a hundred different people are nearer than 0.18: docs/decisions/0016.
 */
const GE2E: EncoderKind = {
  frontEnd: 'ge2e',
  excerptSamples: 25_600,
  sameSpeaker: { voice: 0.1, excerpt: 0.225, change: 0.25 },
  knownSpeaker: { distance: 0.18, margin: 0.1, minSamples: secToSamples(5) },
};

/**
 * WeSpeaker's ResNet34-LM. Its centroids count as one speaker up to a Euclidean distance of 0.7046 in
 * pyannote 3.1; on unit vectors that is the cosine distance 0.7046² / 2. pyannote hears two seconds
 * at least before it asks; what scatters below that is forgiven here, as by GE2E, by `excerpt`.
 */
const WESPEAKER: EncoderKind = {
  frontEnd: 'kaldi-fbank',
  excerptSamples: 48_000,
  sameSpeaker: { voice: 0.248, excerpt: 0.1, change: 1 },
  knownSpeaker: { distance: 0.4, margin: 0.1, minSamples: secToSamples(3) },
};

const KIND_BY_MELS: ReadonlyMap<number, EncoderKind> = new Map([
  [40, GE2E],
  [80, WESPEAKER],
  [0, WESPEAKER],
]);

/**
 * Which front end an encoder wants, by the features that its input has: 40 mels as GE2E, 80 as
 * WeSpeaker's and others of its family, whose files may leave the number open.
 * @throws {SttError} MODEL_LOAD_FAILED, MODEL_INVALID.
 */
export async function encoderKindOf(file: string): Promise<EncoderKind> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new SttError('MODEL_LOAD_FAILED', 'The speaker encoder could not be read', { cause });
  });
  const mels = melsOf(bytes);
  const kind = KIND_BY_MELS.get(mels);
  if (kind !== undefined) return kind;
  throw new SttError('MODEL_INVALID', `A speaker encoder takes 40 or 80 mels, this one ${mels}`);
}

/** 0 where the file does not say. */
function melsOf(bytes: Uint8Array): number {
  try {
    const { graph } = onnx.ModelProto.decode(bytes);
    const weights = new Set(graph?.initializer?.map(({ name }) => name));
    const input = graph?.input?.find(({ name }) => !weights.has(name));
    return Number(input?.type?.tensorType?.shape?.dim?.at(-1)?.dimValue ?? 0);
  } catch (cause) {
    throw new SttError('MODEL_INVALID', 'The speaker encoder is not an ONNX file', { cause });
  }
}
