import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Principal } from '../../kernel/access.ts';
import type { Registry, Upload, Uploads } from '../REGISTRY.ts';
import { chunks, refuses, unique } from './samples.ts';

/** What a list of uploads must be. */
export function describeListOf(registry: () => Registry, as: (principal: Principal) => Registry): void {
  async function allOf(uploads: Uploads, limit: number): Promise<readonly Upload[]> {
    const all: Upload[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await uploads.list({ limit, ...(cursor === undefined ? {} : { cursor }) });
      assert.ok(page.items.length <= limit);
      all.push(...page.items);
      if (page.next_cursor === null) return all;
      cursor = page.next_cursor;
    }
  }

  it('is listed while it is open, to who began it and to who administers', async () => {
    const writer = (actor: string) => as({ actor, share: actor, grants: [{ role: 'writer', producers: [{ exact: 'ci' }] }] }).uploads!;
    const [own, others] = [writer(unique('own')), writer(unique('others'))];
    assert.deepEqual(await own.list(), { items: [], next_cursor: null });
    const [first, ended, third] = [await own.begin({ size_bytes: 9, notes: { a: 'b' } }), await own.begin({}), await own.begin({})];
    const foreign = await others.begin({});
    await own.abandon(ended.id);
    await own.append(first.id, 0, chunks('abc'));
    const listed = await allOf(own, 1);
    assert.deepEqual(listed, [await own.status(first.id), third]);
    assert.deepEqual([listed[0]?.offset_bytes, listed[0]?.size_bytes, listed[0]?.notes], [3, 9, { a: 'b' }]);
    assert.deepEqual(await allOf(others, 2), [foreign]);
    const all = await allOf(registry().uploads!, 2);
    assert.deepEqual(
      all.filter(({ created_by }) => created_by === first.created_by || created_by === foreign.created_by).map(({ id }) => id),
      [first.id, third.id, foreign.id],
    );
    assert.deepEqual(all, (await registry().uploads!.list({ limit: 1000 })).items);
    const { next_cursor } = await own.list({ limit: 1 });
    await refuses('invalid_cursor', others.list({ cursor: next_cursor! }));
    await refuses('malformed_request', own.list({ limit: 0 }));
  });
}
