/** Weights in forms that are not read, with what to do; the first that fits is told. */
const FOREIGN: readonly (readonly [file: RegExp, what: string])[] = [
  [
    /^adapter_(?:config\.json|model\.(?:safetensors|bin))$/,
    'an adapter (PEFT, LoRA) without its model: merge it (merge_and_unload of PEFT) and save the whole model',
  ],
  [
    /^pytorch_model.*\.bin(?:\.index\.json)?$/,
    'pickled weights (pytorch_model.bin), which can run code and are not read: load it with ' +
      'transformers and save it again with save_pretrained, or choose a revision with model.safetensors',
  ],
  [
    /^model\.bin$/,
    'a model for faster-whisper (CTranslate2): choose the repository that it was made from',
  ],
  [
    /^ggml-.*\.bin$|\.gguf$/,
    'a model for whisper.cpp: choose the repository that it was made from',
  ],
  [
    /^[^/]+\.pt$/,
    'a checkpoint of openai-whisper: convert it with convert_openai_to_hf.py of transformers',
  ],
  [/\.onnx$/, 'an ONNX export: choose the repository that it was made from'],
  [
    /\.(?:msgpack|h5)$/,
    'weights of Flax or TensorFlow only: save it again from transformers as safetensors',
  ],
];

/** What a folder or repository without safetensors holds instead, and what to do about it. */
export function foreignFormat(paths: ReadonlySet<string>): string | undefined {
  return FOREIGN.find(([file]) => [...paths].some((path) => file.test(path)))?.[1];
}
