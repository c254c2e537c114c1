import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { moveLastEvent } from '../../registry/future-event.ts';
import { openWorkplace } from '../workplace.ts';

test('with a clock behind the log nothing is swept or collected until it is accepted, and a dry run says so', async () => {
  using place = openWorkplace();
  {
    await using store = await openStore(readConfig({}, { directory: place.directory }), { migrate: true });
    await store.as('producer').packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  }
  moveLastEvent(place.path('var/artifactstore.db'), '2999-01-31T12:00:00.000Z');
  const health = await place.run('health');
  assert.equal(health.code, 1);
  assert.match((JSON.parse(health.stdout) as { readonly clock: { readonly detail: string } }).clock.detail, /written at 2999/);
  for (const command of ['sweep', 'gc']) {
    const refused = await place.run('retention', command);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /written at 2999-01-31T12:00:00\.000Z.*\(clock_in_doubt\)\nhint: .*--accept-clock/);
    const dry = await place.run('retention', command, '--dry-run', '--json');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stderr, /written at 2999.*--accept-clock/);
    assert.match((JSON.parse(dry.stdout) as { readonly clock_doubt: string }).clock_doubt, /written at 2999/);
    assert.equal((await place.run('retention', command, '--accept-clock')).code, 0);
  }
});
