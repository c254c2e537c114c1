import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Principal } from '../../kernel/access.ts';
import { decodeCbor } from '../../kernel/format/cbor.ts';
import type { Registry } from '../REGISTRY.ts';
import { type Opened, refuses, samples, unique } from './samples.ts';

export function eventsConformance(opened: Opened, as: (principal: Principal) => Registry): void {
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
      assert.deepEqual(decodeCbor(encoded.bytes), JSON.parse(JSON.stringify({ items, next_since: last_sequence, last_sequence })));
      assert.deepEqual([encoded.item_count, encoded.next_since], [4, last_sequence]);
      const filtered = await registry().events.page({ subject_kind: 'package', subject_id: id });
      assert.equal(filtered.items.length, 3);
      assert.equal(filtered.next_since, filtered.last_sequence);
    });

    it('finds what is asked for by any of its conditions, alone and together', async () => {
      const { id } = await create();
      const { record } = await add(id, 'e', 'e');
      const found = async (query: object): Promise<readonly string[]> =>
        (await registry().events.page({ ...query, limit: 500 })).items.map(({ event_type, subject_id }) => `${event_type} ${subject_id}`);
      assert.deepEqual(await found({ subject_id: record.id }), [`v1.file.ingested ${record.id}`]);
      assert.deepEqual(await found({ subject_id: id, event_type: 'v1.package.created' }), [`v1.package.created ${id}`]);
      assert.deepEqual(await found({ subject_kind: 'file', event_type: 'v1.package.created' }), []);
      assert.deepEqual(await found({ subject_kind: 'package', subject_id: id, event_type: 'v1.package.finalized' }), []);
      const files = await found({ subject_kind: 'file' });
      assert.equal(files.at(-1), `v1.file.ingested ${record.id}`);
      assert.ok(files.every((event) => event.startsWith('v1.file.')));
    });

    it('tells a reader of one producer what is about its packages, and nothing else', async () => {
      const since = (await registry().events.page({ limit: 1 })).last_sequence;
      const [own, other] = [await create(), await create()];
      await add(own.id, 'e', 'the same');
      await add(other.id, 'e', 'the same');
      const slug = unique('schema').replaceAll(' ', '-');
      await registry().metadataSchemas.register({ slug, json_schema: { type: 'object' } });
      await registry().packages.finalize(other.id);
      const { last_sequence } = await registry().events.page({ limit: 1 });
      const reader = as(readerOf(own.producer));
      const page = await reader.events.page({ since });
      assert.deepEqual(
        page.items.map(({ event_type }) => event_type),
        ['v1.package.created', 'v1.retention.default_applied', 'v1.file.ingested', 'v1.metadata_schema.registered'],
      );
      for (const { chain_digest } of page.items) assert.equal(chain_digest, null);
      assert.deepEqual([page.next_since, page.last_sequence], [last_sequence, last_sequence]);
      const encoded = await reader.events.encodedPage({ since });
      assert.deepEqual(decodeCbor(encoded.bytes), JSON.parse(JSON.stringify(page)));
      assert.deepEqual([encoded.item_count, encoded.next_since], [4, last_sequence]);

      // Whether the bytes were there before, it is not told.
      const told = async (which: Principal) => (await as(which).events.page({ since, event_type: 'v1.file.ingested' })).items[0];
      for (const item of [await told(readerOf(own.producer)), await told(readerOf(other.producer))])
        assert.ok(!JSON.stringify(item).includes('made_live'), JSON.stringify(item));

      const waiting = reader.events.page({ since: last_sequence, wait_seconds: 20 });
      await create();
      await add(own.id, 'f', 'f');
      assert.deepEqual(
        (await waiting).items.map(({ event_type }) => event_type),
        ['v1.file.ingested'],
      );
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

function readerOf(producer: string): Principal {
  return { actor: 'reader', share: 'reader', grants: [{ role: 'reader', producers: [{ exact: producer }] }] };
}
