import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendId, TwoBackends } from './two-backends.ts';

/** Nothing lies in either backend that the log does not know. */
export async function assertClean(store: TwoBackends, objects: Readonly<Record<BackendId, number>>): Promise<void> {
  await store.settle();
  for (const id of ['near', 'far'] as const) assert.deepEqual(await readdir(join(store.rootOf(id), 'drafts')).catch(() => []), []);
  for (const { backend_id, stored_objects, live_objects } of (await store.operator.collect()).backends) {
    const expected = objects[backend_id as BackendId];
    assert.deepEqual([stored_objects, live_objects], [expected, expected]);
  }
}
