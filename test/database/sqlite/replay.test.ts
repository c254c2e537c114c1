import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { dump, replaysWhateverWasThere } from '../replay-cases.ts';
import { withDatabase } from './replay-place.ts';

describe('a replay on SQLite', () => {
  test('makes the views what the events say, whatever was there', () => withDatabase(replaysWhateverWasThere));

  test('refuses a long log at the event that is not the one that was written, and changes nothing', () =>
    withDatabase(async ({ database, run }) => {
      await database.write('addPackages', { count: 5_000 });
      await run("drop trigger events_not_updated; update events set actor = 'somebody else' where sequence = 4321");
      const before = await dump(database);
      const error: unknown = await database.replay().catch((reason: unknown) => reason);
      assert.ok(isArtifactstoreError(error, 'integrity_failure'), String(error));
      assert.deepEqual(error.info, { sequence: 4321 });
      assert.deepEqual(await dump(database), before);
      await run("update events set actor = 'conformance' where sequence = 4321");
      assert.deepEqual(await database.replay(), { events: 5_000, sequence: 5_000 });
      assert.deepEqual(await dump(database), before);
    }));
});
