import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '../../../src/registry/upkeep/OPERATOR.ts';
import { openTestRegistry } from '../open-registry.ts';

const blink = '[retention_classes.blink]\ndefault_duration_seconds = 1\n';

describe('retention on its own', () => {
  it('runs in one process at a time, and lets another take over', async () => {
    await using store = await openTestRegistry({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'r.toml' }, { 'r.toml': blink });
    const registry = store.as('producer');
    const make = async () => {
      const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'blink' });
      await registry.files.add(record.id, { relative_path: 'f', body: body(record.id) });
      await registry.packages.finalize(record.id);
      return record.id;
    };
    const id = await make();
    const runs: Collection[] = [];
    const start = () => store.operator.autorun({ intervalSeconds: 0.2, onRun: ({ collected }) => runs.push(collected) });
    const first = start();
    const second = start();
    try {
      await until(async () => runs.some((run) => run.collected_package_ids.includes(id)));
      await first.stop();
      const next = await make();
      await until(async () => runs.some((run) => run.collected_package_ids.includes(next)));
      assert.deepEqual(
        runs.flatMap((run) => run.collected_package_ids),
        [id, next],
      );
      assert.deepEqual(store.incidents, []);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await holds()); waited++) {
    assert.ok(waited < 1_200, 'it did not happen within a minute');
    await sleep(50);
  }
}

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
