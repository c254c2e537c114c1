import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bufferStock } from '../../../src/dataplane/hashing/buffers.ts';

describe('the stock of buffers', () => {
  test('makes so many and no more, and hands out again what came back', () => {
    const stock = bufferStock(2, 64);
    const [first, second] = [stock.take()!, stock.take()!];
    assert.notEqual(first.buffer, second.buffer);
    assert.ok(first.buffer instanceof SharedArrayBuffer);
    assert.equal(stock.take(), undefined);
    stock.give(first);
    assert.equal(stock.take(), first);
  });

  test('a stream alone has six, four streams at once two each', () => {
    const stock = bufferStock(32, 64);
    const alone = takeAll(1);
    assert.equal(alone[0]!.length, 6);
    for (const buffer of alone.flat()) stock.give(buffer);
    assert.deepEqual(
      takeAll(4).map(({ length }) => length),
      [2, 2, 2, 2],
    );

    /** By turns, until nobody is given any more. */
    function takeAll(streams: number): readonly Buffer[][] {
      const held = Array.from({ length: streams }, (): Buffer[] => []);
      for (let given = true; given; ) {
        given = false;
        for (const own of held) {
          const buffer = stock.take(own.length);
          if (buffer === undefined) continue;
          own.push(buffer);
          given = true;
        }
      }
      return held;
    }
  });
});
