import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../src/kernel/format/json.ts';
import type { EventRecord } from '../../src/registry/REGISTRY.ts';
import { eventTypes } from '../event-types.ts';
import { dumpViews } from './dump-views.ts';
import { blink, startLife } from './life.ts';
import { everything, steps } from './life-steps.ts';
import { openTestRegistry, type TestRegistry } from './open-registry.ts';

describe('the views', () => {
  it('are the same after live writes as after a replay, byte for byte, whatever was done', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25 }), async (sequence) => {
        await using store = await openTestRegistry(
          { ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' },
          { 'retention.toml': blink.file },
        );
        const life = startLife(store);
        for (const step of sequence) await life.run(step);
        assert.equal((await store.operator.verifyEvents()).ok, true);
        const path = databasePath(store);
        const live = dumpViews(path);
        await store.operator.replay();
        assert.deepEqual(dumpViews(path), live);
        const usage = createUsageModel();
        for (let since = 0; ; ) {
          const page = await store.as('reader').events.page({ since, limit: 500 });
          for (const event of page.items) {
            seen.add(event.event_type);
            usage.add(event);
          }
          since = page.items.at(-1)?.sequence ?? page.last_sequence;
          if (since >= page.last_sequence) break;
        }
        assert.deepEqual(
          live.producer_usage?.map((row) => ({ ...(row as object) })),
          usage.sums(),
        );
      }),
      { numRuns: Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 6), examples: [[everything]] },
    );
    assert.deepEqual(
      // Places are added by moving bytes to another backend, which move.test.ts does.
      eventTypes.filter((type) => !seen.has(type) && type !== 'v1.storage.location_added'),
      [],
      'these events did not occur',
    );
  });
});

/** What each producer has, from the events alone. */
function createUsageModel() {
  const packages = new Map<string, { readonly producer: string; kept: number; files: number; bytes: number }>();
  return {
    add({ event_type, payload: value }: EventRecord): void {
      const payload = value as JsonObject;
      if (event_type === 'v1.package.created')
        packages.set(String(payload.id), { producer: String(payload.producer), kept: 1, files: 0, bytes: 0 });
      const found = packages.get(String(payload.package_id));
      if (found === undefined) return;
      if (event_type === 'v1.file.ingested')
        Object.assign(found, { files: found.files + 1, bytes: found.bytes + Number(payload.size_bytes) });
      if (event_type === 'v1.package.abandoned' || event_type === 'v1.package.garbage_collected') found.kept = 0;
    },
    sums(): readonly object[] {
      return [...Map.groupBy(packages.values(), ({ producer }) => producer)]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([producer, all]) => ({
          producer,
          packages: all.reduce((sum, { kept }) => sum + kept, 0),
          files: all.reduce((sum, { kept, files }) => sum + kept * files, 0),
          bytes: all.reduce((sum, { kept, bytes }) => sum + kept * bytes, 0),
        }));
    },
  };
}

function databasePath({ config }: TestRegistry): string {
  assert.ok(config.database.kind === 'sqlite');
  return config.database.path;
}
