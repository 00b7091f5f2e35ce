import type { FailureMessage } from './failure-message.ts';

/** Where sessions run. */
export interface DeviceOptions {
  readonly device: 'cuda' | 'cpu';
  /** Threads of one run on the CPU; 0 = one per core. */
  readonly threads: number;
}

/** What to load; the thread builds or reads the graph itself, so that only this travels. */
export type NetworkSource =
  | {
      readonly kind: 'whisper';
      /** Greedy and sampling by default; beams are a graph of their own. */
      readonly search?: 'greedy' | 'beam';
      readonly folder: string;
      readonly computeType: ComputeType;
      /** Windows that are decoded together at most. */
      readonly batchSize: number;
    }
  | { readonly kind: 'onnx'; readonly file: string }
  | { readonly kind: 'silero-vad'; readonly file: string }
  | {
      readonly kind: 'speaker-segmentation' | 'speaker-encoder';
      readonly folder: string;
      /** Of a row of the input. */
      readonly windowSamples: number;
    }
  | { readonly kind: 'wav2vec2'; readonly folder: string; readonly computeType: ComputeType };

export type ComputeType = 'float32' | 'float16';

export type TensorData =
  | Float32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** A tensor on its way between threads; its buffer is moved, not copied. */
export interface TensorMessage {
  readonly type: 'float32' | 'int64' | 'bool';
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export type TensorMap = Readonly<Record<string, TensorMessage>>;

export type EngineRequest =
  | {
      readonly type: 'load';
      readonly id: number;
      readonly session: string;
      readonly source: NetworkSource;
      readonly device: DeviceOptions;
    }
  | {
      readonly type: 'run';
      readonly id: number;
      readonly session: string;
      readonly feeds: TensorMap;
    }
  | { readonly type: 'unload'; readonly id: number; readonly session: string }
  | { readonly type: 'close'; readonly id: number };

/** What loading a session consists of. */
export interface LoadTimes {
  /** Reading the checkpoint's head and writing the graph. */
  readonly buildMs: number;
  /** The runtime's part: weights, optimization, memory of the device. */
  readonly createMs: number;
}

export type EngineResponse =
  | {
      readonly id: number;
      readonly outcome: 'done';
      readonly outputs: TensorMap;
      readonly loadTimes?: LoadTimes;
    }
  | { readonly id: number; readonly outcome: 'failed'; readonly error: FailureMessage };

export const transferList = (tensors: TensorMap): ArrayBuffer[] => [
  ...new Set(Object.values(tensors).map(({ data }) => data.buffer)),
];
