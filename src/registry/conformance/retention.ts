import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Opened, refuses, sample, samples, unique } from './samples.ts';

export function retentionConformance(opened: Opened): void {
  const { registry, create, add } = samples(opened);
  const later = (time: string, days: number) => new Date(Date.parse(time) + days * 86_400_000).toISOString();

  describe('retention', () => {
    it('lists its classes', async () => {
      const classes = await registry().retention.classes();
      assert.equal(classes.find(({ slug }) => slug === 'raw-evidence')?.default_duration_seconds, 7_776_000);
      assert.equal(classes.find(({ slug }) => slug === 'permanent-record')?.default_duration_seconds, null);
    });

    it('says why a package is kept, and until when', async () => {
      const { id, expires_at } = await create();
      const record = await registry().retention.show(id);
      assert.equal(record.package_id, id);
      assert.equal(record.expires_at, expires_at);
      assert.equal(record.eligible_at, null);
      assert.deepEqual(record.holds, []);
      assert.deepEqual(
        record.history.map(({ event_type }) => event_type),
        ['v1.package.created', 'v1.retention.default_applied'],
      );
      await refuses('package_not_found', registry().retention.show(randomUUID()));
    });

    it('lists what will go, the soonest first, and nothing that stays', async () => {
      const producer = unique('leaving');
      const sealed = async (retention_class: string) => {
        const { id } = await create({ producer, retention_class });
        await add(id, 'a', 'a');
        await registry().packages.finalize(id);
        return (await registry().packages.get(id))!;
      };
      const late = await sealed('raw-evidence');
      const soon = await sealed('transient');
      const held = await sealed('transient');
      const next = await sealed('transient');
      await sealed('permanent-record');
      await create({ producer });
      const { id: hold } = await registry().retention.hold(held.id, { reason: 'an audit' });
      const list = async (until?: string) => {
        const found: string[] = [];
        for (let cursor: string | undefined; ; ) {
          const query = { limit: 2, ...(until === undefined ? {} : { until }), ...(cursor === undefined ? {} : { cursor }) };
          const page = await registry().retention.expiring(query);
          found.push(...page.items.filter((item) => item.producer === producer).map(({ id }) => id));
          if (page.next_cursor === null) return found;
          cursor = page.next_cursor;
          await refuses('invalid_cursor', registry().retention.expiring({ until: '2999-01-01T00:00:00Z', cursor }));
        }
      };
      assert.deepEqual(await list(), [soon.id, next.id, late.id]);
      assert.deepEqual(await list(soon.expires_at!), [soon.id]);
      assert.deepEqual(await list('2020-01-01T00:00:00Z'), []);
      await registry().retention.release(held.id, hold);
      assert.deepEqual(await list(next.expires_at!), [soon.id, held.id, next.id]);
      await registry().retention.extend(soon.id, { new_expires_at: null, reason: 'kept' });
      assert.deepEqual(await list(), [held.id, next.id, late.id]);
      for (const cursor of ['x', 'AAAA']) await refuses('invalid_cursor', registry().retention.expiring({ cursor }));
      await refuses('malformed_request', registry().retention.expiring({ until: 'soon' }));
    });

    it('extends, and only ever extends', async () => {
      const { id, expires_at } = await create();
      const new_expires_at = later(expires_at!, 1);
      const record = await registry().retention.extend(id, { new_expires_at, reason: 'an audit' });
      assert.equal(record.expires_at, new_expires_at);
      assert.equal((await registry().packages.get(id))!.expires_at, new_expires_at);
      assert.deepEqual(record.history.at(-1)!.detail, {
        package_id: id,
        previous_expires_at: expires_at,
        new_expires_at,
        reason: 'an audit',
      });
      const { last_sequence } = await registry().events.page({ limit: 1 });
      for (const bad of [new_expires_at, expires_at!, '2020-01-01T00:00:00Z', 'tomorrow', '2026-02-30T00:00:00Z'])
        await refuses(['invalid_value', 'malformed_request'], registry().retention.extend(id, { new_expires_at: bad, reason: 'r' }));
      for (const reason of ['', '  ', 'x'.repeat(1025), 'a\u0000b'])
        await refuses('invalid_value', registry().retention.extend(id, { new_expires_at: null, reason }));
      assert.equal((await registry().events.page({ limit: 1 })).last_sequence, last_sequence);
      const longer = await registry().retention.extend(id, { extend_by_seconds: 3600, reason: 'an hour more' });
      assert.equal(longer.expires_at, new Date(Date.parse(new_expires_at) + 3_600_000).toISOString());
      for (const extend_by_seconds of [0, -1, 0.5, 1e12])
        await refuses(['invalid_value', 'malformed_request'], registry().retention.extend(id, { extend_by_seconds, reason: 'r' }));
      await refuses('malformed_request', registry().retention.extend(id, { reason: 'r' }));
      await refuses('malformed_request', registry().retention.extend(id, { new_expires_at: null, extend_by_seconds: 1, reason: 'r' }));
      assert.equal((await registry().retention.extend(id, { new_expires_at: null, reason: 'for ever' })).expires_at, null);
      await refuses('invalid_value', registry().retention.extend(id, { extend_by_seconds: 1, reason: 'again' }));
      await refuses('invalid_value', registry().retention.extend(id, { new_expires_at: null, reason: 'again' }));
    });

    it('holds any number of times, each released by itself', async () => {
      const { id } = await create();
      await add(id, 'f', 'f');
      const first = await registry().retention.hold(id, { reason: 'litigation' });
      const second = await registry().retention.hold(id, { reason: 'investigation' });
      assert.equal(first.reason, 'litigation');
      assert.equal(first.released_at, null);
      const released = await registry().retention.release(id, first.id, { reason: 'settled' });
      assert.equal(released.release_reason, 'settled');
      assert.deepEqual((await registry().retention.show(id)).holds, [released, second]);
      await refuses('hold_not_found', registry().retention.release(id, first.id));
      await refuses('hold_not_found', registry().retention.release(id, randomUUID()));
      await refuses('hold_not_found', registry().retention.release((await create()).id, second.id));
      await refuses('invalid_value', registry().retention.hold(id, { reason: '' }));
      await refuses('package_not_found', registry().retention.hold(randomUUID(), { reason: 'r' }));
      assert.equal((await registry().retention.release(id, second.id)).release_reason, null);
    });

    it('counts in each record of a package the holds that keep it', async () => {
      const producer = unique('held');
      const [first, second] = [await create({ producer }), await create({ producer })];
      const ids = [second.id, first.id];
      const counts = async () => {
        const page = await registry().packages.list({ producer });
        const encoded = await registry().packages.encodedList({ producer });
        assert.deepEqual(JSON.parse(Buffer.from(encoded.json).toString()), page);
        const { items } = page;
        assert.deepEqual(items, await Promise.all(ids.map((id) => registry().packages.get(id))));
        return items.map(({ hold_count }) => hold_count);
      };
      assert.deepEqual([first.hold_count, await counts()], [0, [0, 0]]);
      const one = await registry().retention.hold(first.id, { reason: 'an audit' });
      assert.deepEqual(await counts(), [0, 1]);
      const two = await registry().retention.hold(first.id, { reason: 'another' });
      await registry().retention.hold(second.id, { reason: 'both' });
      assert.deepEqual(await counts(), [1, 2]);
      await add(first.id, 'a', 'a');
      await registry().packages.finalize(first.id);
      await registry().retention.release(first.id, one.id);
      assert.deepEqual(await counts(), [1, 1]);
      await registry().retention.release(first.id, two.id);
      assert.deepEqual(await counts(), [1, 0]);
      const { items } = await registry().retention.expiring({ limit: 1000 });
      assert.equal(items.find(({ id }) => id === first.id)?.hold_count ?? 0, 0);
    });

    it('says of a package that the same key gives again how many holds keep it', async () => {
      const [input, options] = [sample(), { idempotencyKey: randomUUID() }];
      const { id } = (await registry().packages.create(input, options)).record;
      const hold = await registry().retention.hold(id, { reason: 'an audit' });
      const again = await registry().packages.create(input, options);
      assert.deepEqual([again.created, again.record.hold_count], [false, 1]);
      await registry().retention.release(id, hold.id);
      for (let time = 0; time < 2; time++) assert.equal((await registry().packages.abandon(id)).hold_count, 0);
    });

    it('keeps a held package from being abandoned', async () => {
      const { id } = await create();
      const hold = await registry().retention.hold(id, { reason: 'evidence' });
      await refuses('package_held', registry().packages.abandon(id));
      assert.equal((await registry().packages.get(id))!.status, 'created');
      await registry().retention.release(id, hold.id);
      assert.equal((await registry().packages.abandon(id)).status, 'abandoned');
    });

    it('decides nothing about what was abandoned', async () => {
      const { id } = await create();
      await registry().packages.abandon(id);
      await refuses('package_not_open', registry().retention.hold(id, { reason: 'r' }));
      await refuses('package_not_open', registry().retention.extend(id, { new_expires_at: null, reason: 'r' }));
    });
  });
}
