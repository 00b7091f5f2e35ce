import { describe, expect, test } from 'vitest';
import { alignmentHeadsOf } from '../../../models/whisper/alignment-heads.ts';

const turbo = { decoderLayers: 4, decoderHeads: 20, vocabularySize: 51_866 };
const unknown = { decoderLayers: 3, decoderHeads: 2, vocabularySize: 51_865 };

describe('alignmentHeadsOf', () => {
  test("takes the checkpoint's own list, by layer", () => {
    expect(
      alignmentHeadsOf(
        [
          [3, 1],
          [0, 4],
        ],
        turbo,
      ),
    ).toEqual([
      [0, 4],
      [3, 1],
    ]);
  });

  test('drops heads that the network does not have', () => {
    expect(alignmentHeadsOf([[4, 0], [1, 20], [1], [2, 19]], turbo)).toEqual([[2, 19]]);
  });

  test('takes the published heads of the same shape where a fine-tune lists none', () => {
    const published = [
      [2, 4],
      [2, 11],
      [3, 3],
      [3, 6],
      [3, 11],
      [3, 14],
    ];
    expect(alignmentHeadsOf(undefined, turbo)).toEqual(published);
    expect(alignmentHeadsOf(null, turbo)).toEqual(published);
    expect(alignmentHeadsOf([], turbo)).toEqual(published);
  });

  test('takes all heads of the upper half of the layers of a network that nobody published', () => {
    expect(alignmentHeadsOf(undefined, unknown)).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ]);
  });
});
