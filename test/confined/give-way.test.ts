import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { createLane } from '../../src/confined/lane.ts';
import { moduleUrl } from '../../src/runtime/module-url.ts';
import type { WorkInput } from './work.ts';

const skip = process.platform === 'linux' ? false : 'other systems have no priority for each thread';

test('the thread of slow work gives way, and neither the others nor the process do', { skip }, async () => {
  const module = moduleUrl('./work.ts', import.meta.url);
  const bounds = { milliseconds: 1_000, heapMebibytes: 24 };
  for (const [givesWay, more] of [
    [true, 5],
    [false, 0],
  ] as const) {
    const lane = createLane<WorkInput, number>(module, { ...bounds, givesWay });
    try {
      const own = getPriority();
      assert.deepEqual(await lane.run('priority'), { kind: 'done', output: Math.min(own + more, 19) });
      assert.equal(getPriority(), own);
    } finally {
      await lane.close();
    }
  }
});
