import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Package, PackageQuery } from '../REGISTRY.ts';
import { longest, longestKey, type Opened, refuses, sample, samples, unique } from './samples.ts';

export function packagesConformance(opened: Opened): void {
  const { registry, create, add } = samples(opened);
  describe('packages', () => {
    it('creates, shows and lists them', async () => {
      const input = { ...sample(), metadata: { build: 42, branch: 'main', nested: { deep: [1, 2.5, null, true] } } };
      const { record, created } = await registry().packages.create(input);
      assert.equal(created, true);
      assert.equal(record.status, 'created');
      assert.deepEqual(record.metadata, input.metadata);
      assert.equal(record.file_count, 0);
      assert.equal(record.manifest_digest, null);
      assert.match(record.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(Date.parse(record.expires_at!) - Date.parse(record.created_at), 86_400_000);
      assert.deepEqual(await registry().packages.get(record.id), record);
      const { items } = await registry().packages.list({ producer: input.producer });
      assert.deepEqual(items, [record]);
    });

    it('has no package that was never created', async () => {
      assert.equal(await registry().packages.get(randomUUID()), undefined);
      await refuses('package_not_found', registry().packages.finalize(randomUUID()));
      await refuses('package_not_found', registry().packages.abandon(randomUUID()));
      await refuses('package_not_found', registry().packages.manifest(randomUUID()));
      await refuses('package_not_found', registry().files.list(randomUUID()));
    });

    it('pages newest first, by cursors that are bound to their list', async () => {
      const producer = unique('pager');
      const ids: string[] = [];
      for (let index = 0; index < 7; index++) ids.unshift((await create({ producer, subject: `s${index % 2}` })).id);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const query = { producer, limit: 3, ...(cursor === undefined ? {} : { cursor }) };
        const page = await registry().packages.list(query);
        const encoded = await registry().packages.encodedList(query);
        assert.deepEqual(JSON.parse(Buffer.from(encoded.json).toString()), page);
        assert.deepEqual([encoded.item_count, encoded.next_cursor], [page.items.length, page.next_cursor]);
        seen.push(...page.items.map(({ id }) => id));
        if (page.next_cursor !== null) await refuses('invalid_cursor', registry().packages.list({ cursor: page.next_cursor }));
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(seen, ids);
      for (const made of ['x', 'AAAA', Buffer.from('{"after":1}').toString('base64url')])
        await refuses('invalid_cursor', registry().packages.list({ producer, cursor: made }));
      assert.equal((await registry().packages.list({ producer, subject: 's1' })).items.length, 3);
      assert.equal((await registry().packages.list({ producer, status: 'finalized' })).items.length, 0);
    });

    it('finds by top-level metadata scalars', async () => {
      const producer = unique('metadata');
      const first = await create({ producer, metadata: { n: 1, s: 'main', b: true, z: null, t: '1' } });
      const second = await create({ producer, metadata: { n: 2, s: 'main', o: { s: 'main' } } });
      const found = async (metadata: Record<string, string>) =>
        (await registry().packages.list({ producer, metadata })).items.map(({ id }) => id);
      assert.deepEqual(await found({ s: 'main' }), [second.id, first.id]);
      assert.deepEqual(await found({ s: '"main"' }), [second.id, first.id]);
      assert.deepEqual(await found({ s: 'main', n: '1' }), [first.id]);
      assert.deepEqual(await found({ n: '1.0' }), [first.id]);
      assert.deepEqual(await found({ t: '1' }), [first.id]);
      assert.deepEqual(await found({ b: 'true' }), [first.id]);
      assert.deepEqual(await found({ z: 'null' }), [first.id]);
      // A number is found as what it is and as a text that reads so, a JSON string as that text only.
      const third = await create({ producer, metadata: { n: '1', 'a.b': 'dotted', 'q"': 1, j: '[1]' } });
      assert.deepEqual(await found({ n: '1' }), [third.id, first.id]);
      assert.deepEqual(await found({ n: '"1"' }), [third.id]);
      assert.deepEqual(await found({ n: '1', '"n"': '"1"' }), [third.id]);
      assert.deepEqual(await found({ '"a.b"': 'dotted' }), [third.id]);
      assert.deepEqual(await found({ '"q\\""': '1' }), [third.id]);
      assert.deepEqual(await found({ j: '"[1]"' }), [third.id]);
      for (const metadata of [{ o: '{"s":"main"}' }, { j: '[1]' }, { 'o.s': 'main' }, { '': 'x' }, { '"a': 'x' }] as Record<
        string,
        string
      >[])
        await refuses('malformed_request', found(metadata));
      const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, '1']));
      assert.deepEqual(await found(keys(32)), []);
      for (const count of [33, 501]) await refuses('malformed_request', found(keys(count)));
      assert.deepEqual(await found({ 'a\u0000': 'b\u0000' }), []);
    });

    it('refuses to look for what no package can be called', async () => {
      for (const text of ['', 'a\u0000', 'x'.repeat(257), '\u0085'])
        for (const name of ['producer', 'subject', 'retention_class'])
          await refuses('malformed_request', registry().packages.list({ [name]: text }));
    });

    it('finds by the times of creation and sealing', async () => {
      const producer = unique('times');
      const made: Package[] = [];
      for (const label of ['one', 'two', 'three']) {
        await sleep(3);
        const { id } = await create({ producer, metadata: { label } });
        await add(id, 'a', label);
        made.push((await registry().packages.get(id))!);
      }
      for (const { id } of [made[2]!, made[0]!]) {
        await sleep(3);
        await registry().packages.finalize(id);
      }
      const [one, two, three] = await Promise.all(made.map(async ({ id }) => (await registry().packages.get(id))!));
      const found = async (query: PackageQuery) =>
        (await registry().packages.list({ producer, ...query })).items.map(({ metadata }) => metadata.label);
      assert.deepEqual(await found({ created_after: two!.created_at }), ['three', 'two']);
      assert.deepEqual(await found({ created_before: two!.created_at }), ['one']);
      assert.deepEqual(await found({ created_after: two!.created_at, created_before: three!.created_at }), ['two']);
      assert.deepEqual(await found({ created_after: two!.created_at.replace('Z', '+00:00'), metadata: { label: 'three' } }), ['three']);
      assert.deepEqual(await found({ finalized_after: three!.finalized_at! }), ['three', 'one']);
      assert.deepEqual(await found({ finalized_after: one!.finalized_at! }), ['one']);
      assert.deepEqual(await found({ finalized_before: one!.finalized_at! }), ['three']);
      assert.deepEqual(await found({ created_after: '9000-01-01T00:00:00Z' }), []);
      const page = await registry().packages.list({ producer, created_after: one!.created_at, limit: 2 });
      assert.equal(page.items.length, 2);
      const cursor = page.next_cursor!;
      assert.equal((await registry().packages.list({ producer, created_after: one!.created_at, limit: 2, cursor })).items[0]!.id, one!.id);
      await refuses('invalid_cursor', registry().packages.list({ producer, created_after: two!.created_at, cursor }));
      for (const time of ['yesterday', '2026-02-30T00:00:00Z', '']) await refuses('malformed_request', found({ finalized_before: time }));
    });

    it('gives the same package for the same idempotency key and body', async () => {
      const input = sample();
      const key = randomUUID();
      const first = await registry().packages.create(input, { idempotencyKey: key });
      const again = await registry().packages.create(input, { idempotencyKey: key });
      assert.equal(first.created, true);
      assert.deepEqual(again, { record: first.record, created: false });
      await refuses('idempotency_conflict', registry().packages.create({ ...input, name: 'other' }, { idempotencyKey: key }));
      const other = await registry().packages.create({ ...input, producer: unique('p') }, { idempotencyKey: key });
      assert.notEqual(other.record.id, first.record.id);
    });

    it('keeps, lists and finds texts at their limits', async () => {
      const input = { ...sample(), name: longest(256), producer: longest(256), subject: longest(256) };
      const options = { idempotencyKey: longestKey() };
      const { record } = await registry().packages.create(input, options);
      assert.deepEqual(await registry().packages.create(input, options), { record, created: false });
      const { name, producer, subject } = input;
      for (const query of [{ name }, { producer }, { subject }, { name, producer, subject }])
        assert.deepEqual((await registry().packages.list(query)).items, [record]);
      const path = `${longest(63)}/`.repeat(4).slice(0, -1);
      assert.ok(Buffer.byteLength(path) > 1_000);
      await add(record.id, path, 'deep');
      assert.deepEqual(
        (await registry().files.list(record.id)).items.map(({ relative_path }) => relative_path),
        [path],
      );
      for (const key of ['', 'x'.repeat(256), 'ü', ' x', 'a\nb'])
        await refuses(['invalid_value', 'invalid_header'], registry().packages.create(sample(), { idempotencyKey: key }));
    });

    it('refuses what it cannot keep', async () => {
      await refuses('unknown_retention_class', create({ retention_class: 'for-ever-and-a-day' }));
      await refuses('unknown_metadata_schema', create({ metadata_schema_slug: unique('none') }));
      await refuses(['invalid_value', 'malformed_request'], create({ name: '' }));
      await refuses(['invalid_value', 'malformed_request'], create({ producer: 'a\u0000b' }));
      await refuses(['invalid_value', 'malformed_request'], create({ subject: 'x'.repeat(257) }));
      await refuses(['invalid_id', 'malformed_request'], registry().packages.get('not-an-id'));
    });

    it('abandons what is not sealed, once', async () => {
      const { id } = await create();
      await add(id, 'a', 'a');
      assert.equal((await registry().packages.abandon(id)).status, 'abandoned');
      assert.equal((await registry().packages.abandon(id)).status, 'abandoned');
      await refuses('package_not_open', add(id, 'b', 'b'));
      await refuses('package_not_open', registry().packages.finalize(id));
      const sealed = await create();
      await add(sealed.id, 'a', 'a');
      await registry().packages.finalize(sealed.id);
      await refuses('package_not_open', registry().packages.abandon(sealed.id));
    });
  });
}
