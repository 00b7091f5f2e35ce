/** The only import of the runtime's code: the environment is set before the runtime loads. */
import './runtime-environment.ts';

export { env, InferenceSession, Tensor } from 'onnxruntime-node';
