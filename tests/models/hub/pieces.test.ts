import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pieces } from '../../../models/hub/pieces.ts';

describe('pieces', () => {
  test('hand out every byte once', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 60 }), (sizeBytes, pieceBytes) => {
        const pieces = new Pieces(sizeBytes, pieceBytes);
        let reached = 0;
        for (let piece = pieces.take(); piece !== undefined; piece = pieces.take()) {
          expect(piece.startByte).toBe(reached);
          expect(piece.endByte - piece.startByte).toBeLessThanOrEqual(pieceBytes);
          reached = piece.endByte;
        }
        expect(reached).toBe(sizeBytes);
      }),
    );
  });

  test('never claim a byte that was not written (against a table of all bytes)', () => {
    const write = fc.record({ start: fc.nat(99), length: fc.nat(60) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(write), (pieceBytes, writes) => {
        const sizeBytes = 100;
        const pieces = new Pieces(sizeBytes, pieceBytes);
        const written = new Set<number>();
        for (const { start, length } of writes) {
          const end = Math.min(start + length, sizeBytes);
          pieces.add(start, end - start);
          for (let byte = start; byte < end; byte += 1) written.add(byte);
        }
        let doneBytes = 0;
        for (let index = 0; index < pieces.count; index += 1) {
          const firstByte = index * pieceBytes;
          const { startByte } = pieces.rest(index) ?? {
            startByte: Math.min(firstByte + pieceBytes, sizeBytes),
          };
          for (let byte = firstByte; byte < startByte; byte += 1) expect(written).toContain(byte);
          doneBytes += startByte - firstByte;
        }
        expect(pieces.doneBytes).toBe(doneBytes);
        for (let byte = 0; byte < pieces.leadingBytes; byte += 1) expect(written).toContain(byte);
        if (doneBytes > 0) expect(written).toContain(pieces.reachedByte - 1);
      }),
    );
  });

  test('written in order from the start, are complete', () => {
    const pieces = new Pieces(100, 30);
    for (let at = 0; at < 100; at += 7) pieces.add(at, Math.min(7, 100 - at));
    expect(pieces.doneBytes).toBe(100);
    expect(pieces.leadingBytes).toBe(100);
    expect(pieces.take()).toBeUndefined();
  });

  test('come back from their record', () => {
    const pieces = new Pieces(100, 30);
    pieces.add(0, 45);
    pieces.add(60, 10);
    const again = Pieces.parse(JSON.parse(JSON.stringify(pieces)), 100)!;
    expect([again.take(), again.take(), again.take(), again.take()]).toEqual([
      { index: 1, startByte: 45, endByte: 60 },
      { index: 2, startByte: 70, endByte: 90 },
      { index: 3, startByte: 90, endByte: 100 },
      undefined,
    ]);
  });

  test.each([
    null,
    {},
    { sizeBytes: 99, pieceBytes: 30, done: [0, 0, 0, 0] },
    { sizeBytes: 100, pieceBytes: 30, done: [0, 0, 0] },
    { sizeBytes: 100, pieceBytes: 30, done: [0, 0, 0, 11] },
    { sizeBytes: 100, pieceBytes: 0, done: [] },
    { sizeBytes: 100, pieceBytes: 30, done: [0, -1, 0, 0] },
  ])('do not come back from a record that makes no sense: %j', (record) => {
    expect(Pieces.parse(record, 100)).toBeUndefined();
  });
});
