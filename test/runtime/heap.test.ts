import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { giveBackMemory } from '../../src/runtime/heap.ts';

test('a heap that was large for a moment is small again, though nobody asks for memory', async () => {
  const end = giveBackMemory(67_108_864);
  let held: object[] | undefined = Array.from({ length: 2_000_000 }, (_, index) => ({ index }));
  const large = getHeapStatistics().total_heap_size;
  assert.ok(held.length > 0 && large > 100_000_000, `${large} bytes`);
  held = undefined;
  const until = performance.now() + 20_000;
  while (getHeapStatistics().total_heap_size > large / 2 && performance.now() < until) await sleep(100);
  assert.ok(getHeapStatistics().total_heap_size <= large / 2);
  end();
});
