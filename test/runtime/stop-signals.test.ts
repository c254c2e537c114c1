import assert from 'node:assert/strict';
import test from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { stopOnSignal } from '../../src/runtime/stop-signals.ts';

test('the first signal aborts with a reason, and afterwards the process is as it was', async () => {
  const before = process.listenerCount('SIGTERM');
  {
    using stop = stopOnSignal();
    assert.equal(stop.signal.aborted, false);
    process.kill(process.pid, 'SIGTERM');
    await stop.asked;
    assert.ok(isArtifactstoreError(stop.signal.reason, 'cancelled'));
  }
  assert.equal(process.listenerCount('SIGTERM'), before);
});
