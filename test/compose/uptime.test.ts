import assert from 'node:assert/strict';
import { uptime } from 'node:os';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createUptime } from '../../src/compose/uptime.ts';

describe('the uptime', () => {
  it('is that of the system, in milliseconds', () => {
    assert.ok(Math.abs(createUptime()() - uptime() * 1000) < 1000);
  });

  it('is asked for once in each turn of the event loop', async () => {
    let asked = 0;
    const read = createUptime(() => (asked += 1));
    assert.deepEqual([read(), read()], [1000, 1000]);
    await turn();
    assert.deepEqual([read(), read()], [2000, 2000]);
  });
});
