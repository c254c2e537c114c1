import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProducerRecord } from '../REGISTRY.ts';
import { type Opened, refuses, samples, unique } from './samples.ts';

export function producersConformance(opened: Opened): void {
  const { registry, create, add } = samples(opened);
  describe('producers', () => {
    it('lists what each has that is neither collected nor abandoned, by name, in pages', async () => {
      const [first, second] = [unique('producer 1'), unique('producer 2')];
      const { id } = await create({ producer: first });
      await add(id, 'a', 'same');
      await add(id, 'b', 'same');
      await registry().packages.abandon((await create({ producer: second })).id);
      const all: ProducerRecord[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await registry().producers.list({ limit: 1, ...(cursor === undefined ? {} : { cursor }) });
        assert.ok(page.items.length <= 1);
        all.push(...page.items);
        if (page.next_cursor === null) break;
        cursor = page.next_cursor;
      }
      const names = all.map(({ producer }) => producer);
      assert.deepEqual(names, [...new Set(names)].sort());
      const none = { maximum_packages: null, maximum_bytes: null };
      assert.deepEqual(
        all.filter(({ producer }) => producer === first || producer === second),
        [
          { producer: first, packages: 1, files: 2, bytes: 8, ...none },
          { producer: second, packages: 0, files: 0, bytes: 0, ...none },
        ],
      );
      assert.deepEqual((await registry().producers.list({ limit: 1000 })).items, all);
      await refuses('invalid_cursor', registry().producers.list({ cursor: 'no cursor' }));
    });
  });
}
