import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BackupPlace } from '../../../src/backup/BACKUP.ts';
import { openBackup } from '../../../src/compose/open-backup.ts';
import { administrator } from '../../../src/kernel/access.ts';
import { checkBackup } from '../../../src/registry/upkeep/check-backup.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';
import { add, scratch } from './backup-places.ts';

describe('a backup beside a collection', () => {
  let store: TwoBackends;
  before(async () => {
    store = await openTwoBackends();
  });
  after(() => store.close());

  /**
   * A backup during which something happens, once, right after the log was copied to its end or before an object is
   * looked for.
   */
  async function backUpDuring(when: 'log' | 'object', happen: () => Promise<unknown>) {
    using place = scratch();
    let happened = false;
    const once = async () => {
      if (happened) return;
      happened = true;
      await happen();
    };
    const meddling = async (directory: string, options: { readonly write: boolean }): Promise<BackupPlace> => {
      const real = await openBackup(directory, options);
      const append: BackupPlace['log']['append'] = async (...page) => {
        await real.log.append(...page);
        if (when === 'log') await once();
      };
      const sizeOf: BackupPlace['sizeOf'] = async (address) => {
        const size = await real.sizeOf(address);
        if (when === 'object') await once();
        return size;
      };
      return { ...real, log: { ...real.log, append }, sizeOf };
    };
    const made = await store.over({ openBackup: meddling }).operator.backup(join(place.path, 'b'), { jobs: 1 });
    const opened = await openBackup(join(place.path, 'b'), { write: false });
    const checked = await checkBackup(opened, { ...made, missing: [] }, { read: true });
    await opened.close();
    assert.deepEqual([made.ok, made.missing, checked.problems], [true, [], []]);
    return made;
  }

  for (const when of ['log', 'object'] as const) {
    it(`is consistent at a later head when objects are released and deleted after the ${when} was seen`, async () => {
      const registry = store.as(administrator('tester'));
      const { id } = await add(registry, `released after the ${when}`, false);
      await add(registry, 'stays');
      const made = await backUpDuring(when, async () => {
        await registry.packages.abandon(id);
        const { deleted_objects } = await store.operator.collect();
        assert.equal(deleted_objects, 1);
        await add(registry, `new after the ${when}`);
      });
      assert.equal(made.sequence, (await registry.events.page({ limit: 1 })).last_sequence);
    });
  }

  it('reads an object from where it was moved to meanwhile', async () => {
    const { file } = await add(store.as(administrator('tester')), 'moved');
    await backUpDuring('object', () => store.operator.move({ from: 'near', to: 'far' }));
    assert.equal(file.locations[0]!.backend_id, 'near');
  });
});
