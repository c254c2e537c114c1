import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReadPace } from '../../../src/client/tree/read-pace.ts';

describe('the pace of reads', () => {
  it('reads here while that is quick, elsewhere after one that was slow, and then tries again', async () => {
    let now = 0;
    let milliseconds = 1;
    const places: string[] = [];
    const pace = createReadPace(() => now);
    const read = () =>
      pace.read(
        () => {
          now += milliseconds;
          places.push('here');
        },
        async () => void places.push('elsewhere'),
      );
    for (let count = 0; count < 3; count++) await read();
    assert.deepEqual(places.splice(0), ['here', 'here', 'here']);
    milliseconds = 5;
    await assert.rejects(
      pace.read(
        () => {
          now += milliseconds;
          throw new Error('slow and failed');
        },
        async () => undefined,
      ),
      /slow and failed/,
    );
    for (let count = 0; count < 65; count++) await read();
    assert.deepEqual([places.slice(0, 64).every((place) => place === 'elsewhere'), places[64]], [true, 'here']);
  });

  it('lets other work of this thread take its turn', async () => {
    let now = 0;
    const pace = createReadPace(() => now);
    let turns = 0;
    let reading = true;
    const count = (): void => {
      turns += 1;
      if (reading) setImmediate(count);
    };
    setImmediate(count);
    for (let index = 0; index < 100; index++)
      await pace.read(
        () => {
          now += 1;
        },
        async () => undefined,
      );
    reading = false;
    assert.ok(turns >= 5, `${turns} turns in 100 ms`);
  });
});
