import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Registry, Usage } from '../REGISTRY.ts';
import { chunks, sample } from './samples.ts';

/** How full the registry is, as every implementation tells it. */
export function usageConformance(registry: () => Registry): void {
  it('counts packages, files and bytes by status, producer and class, and what lies where', async () => {
    const mine = sample();
    const bytes = `counted ${crypto.randomUUID()}`;
    const before = await usageFrom(registry(), (await registry().events.page({ limit: 1 })).last_sequence);
    const { record } = await registry().packages.create(mine);
    for (const relative_path of ['a', 'b']) await registry().files.add(record.id, { relative_path, body: chunks(bytes) });
    await registry().packages.finalize(record.id);
    const given = await registry().packages.create({ ...mine, subject: 'abandoned' });
    await registry().packages.abandon(given.record.id);

    const usage = await usageFrom(registry(), (await registry().events.page({ limit: 1 })).last_sequence);
    const { finalized, abandoned } = usage.packages;
    assert.equal(finalized.packages, before.packages.finalized.packages + 1);
    assert.equal(abandoned.packages, before.packages.abandoned.packages + 1);
    assert.equal(finalized.files, before.packages.finalized.files + 2);
    assert.equal(finalized.bytes, before.packages.finalized.bytes + 2 * bytes.length);
    assert.deepEqual(
      usage.producers.filter(({ producer }) => producer === mine.producer),
      [{ producer: mine.producer, retention_class: mine.retention_class, packages: 1, files: 2, bytes: 2 * bytes.length }],
    );
    assert.equal(usage.producers_left_out, 0);
    const stored = (of: Usage) => of.backends.reduce((sum, { stored_bytes }) => sum + stored_bytes, 0);
    assert.equal(stored(usage), stored(before) + bytes.length, 'equal bytes lie there once');
  });
}

/** What is counted is kept for a moment. */
async function usageFrom(registry: Registry, sequence: number): Promise<Usage> {
  for (;;) {
    const usage = await registry.usage();
    if (usage.last_sequence >= sequence) return usage;
  }
}
