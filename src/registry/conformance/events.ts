import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeCbor } from '../../kernel/format/cbor.ts';
import { type Opened, refuses, samples } from './samples.ts';

export function eventsConformance(opened: Opened): void {
  const { registry, create, add } = samples(opened);
  describe('events', () => {
    it('tells everything in order, without gaps, in pages', async () => {
      const before = (await registry().events.page({ limit: 1 })).last_sequence;
      const { id } = await create();
      await add(id, 'e', 'e');
      await registry().packages.finalize(id);
      const { items, last_sequence } = await registry().events.page({ since: before });
      assert.deepEqual(
        items.map((event) => event.event_type),
        ['v1.package.created', 'v1.retention.default_applied', 'v1.file.ingested', 'v1.package.finalized'],
      );
      assert.deepEqual(
        items.map((event) => event.sequence),
        [1, 2, 3, 4].map((step) => before + step),
      );
      assert.equal(last_sequence, before + 4);
      const encoded = await registry().events.encodedPage({ since: before });
      assert.deepEqual(decodeCbor(encoded.bytes), JSON.parse(JSON.stringify({ items, last_sequence })));
      assert.equal(encoded.item_count, 4);
      const filtered = await registry().events.page({ subject_kind: 'package', subject_id: id });
      assert.equal(filtered.items.length, 3);
    });

    it('waits for what is not there yet, and no longer than it was told', async () => {
      const { last_sequence } = await registry().events.page({ limit: 1 });
      const waiting = registry().events.page({ since: last_sequence, wait_seconds: 20 });
      const { id } = await create();
      const { items } = await waiting;
      assert.equal(items[0]!.subject_id, id);
      const end = (await registry().events.page({ limit: 1 })).last_sequence;
      assert.deepEqual((await registry().events.page({ since: end, wait_seconds: 0.05 })).items, []);
    });

    it('refuses queries that make no sense', async () => {
      await refuses('malformed_request', registry().events.page({ limit: 501 }));
      await refuses('malformed_request', registry().events.page({ since: -1 }));
      await refuses('malformed_request', registry().events.page({ event_type: 'v1.package.finalised' }));
      await refuses('malformed_request', registry().events.page({ subject_kind: 'packages' }));
      await refuses('malformed_request', registry().events.page({ subject_id: 'a\u0000' }));
      await refuses('malformed_request', registry().events.page({ wait_seconds: 61 }));
    });
  });
}
