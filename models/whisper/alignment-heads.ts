/** A cross-attention head of the decoder: its layer and its number in the layer. */
export type AlignmentHead = readonly [layer: number, head: number];

interface DecoderShape {
  readonly decoderLayers: number;
  readonly decoderHeads: number;
  readonly vocabularySize: number;
}

/**
 * The heads that OpenAI found to follow the audio in time (openai-whisper, `_ALIGNMENT_HEADS`), by
 * layers / heads per layer / vocabulary, written as layer.head. Fine-tunes keep the shape and what
 * the heads do. large-v1 has the shape of large-v2, whose heads these are.
 */
const PUBLISHED: Readonly<Record<string, string>> = {
  '4/6/51864': '1.0 2.0 2.5 3.0 3.1 3.2 3.3 3.4', // tiny.en
  '4/6/51865': '2.2 3.0 3.2 3.3 3.4 3.5', // tiny
  '6/8/51865': '3.1 4.2 4.3 4.7 5.1 5.2 5.4 5.6', // base
  '12/12/51865': '5.3 5.9 8.0 8.4 8.7 8.8 9.0 9.7 9.9 10.5', // small
  '24/16/51865': '13.15 15.4 15.15 16.1 20.0 23.4', // medium
  '32/20/51865': // large-v2
    '10.12 13.17 16.11 16.12 16.13 17.15 17.16 18.4 18.11 18.19 19.11 21.2 21.3 22.3 22.9 22.12 ' +
    '23.5 23.7 23.13 25.5 26.1 26.12 27.15',
  '32/20/51866': '7.0 10.17 12.18 13.12 16.1 17.14 19.11 21.4 24.1 25.6', // large-v3
  '4/20/51866': '2.4 2.11 3.3 3.6 3.11 3.14', // large-v3-turbo
};

/**
 * The heads that word times are read from, by layer: the checkpoint's own list; else, as fine-tunes
 * often lack it, that of the published model of the same shape; else all of the upper half of the
 * layers, as openai-whisper does. Never empty.
 */
export function alignmentHeadsOf(
  listed: readonly (readonly number[])[] | null | undefined,
  shape: DecoderShape,
): readonly AlignmentHead[] {
  const { decoderLayers, decoderHeads, vocabularySize } = shape;
  const own = (listed ?? [])
    .map(([layer = -1, head = -1]): AlignmentHead => [layer, head])
    .filter(([layer, head]) => isWithin(layer, decoderLayers) && isWithin(head, decoderHeads));
  if (own.length > 0) return own.toSorted(([a], [b]) => a - b);
  const published = PUBLISHED[`${decoderLayers}/${decoderHeads}/${vocabularySize}`];
  return published === undefined ? upperHalf(shape) : parseHeads(published);
}

const isWithin = (index: number, count: number): boolean => index >= 0 && index < count;

const parseHeads = (list: string): AlignmentHead[] =>
  list.split(' ').map((head) => {
    const [layer, number] = head.split('.');
    return [Number(layer), Number(number)];
  });

function upperHalf({ decoderLayers, decoderHeads }: DecoderShape): AlignmentHead[] {
  const first = decoderLayers >> 1;
  const count = (decoderLayers - first) * decoderHeads;
  return Array.from({ length: count }, (_, i): AlignmentHead => {
    return [first + Math.floor(i / decoderHeads), i % decoderHeads];
  });
}
