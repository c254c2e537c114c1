import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { formatTimestamp } from '../../../src/kernel/time.ts';
import { createClockWatch } from '../../../src/registry/upkeep/clock-watch.ts';
import { moveLastEvent } from '../future-event.ts';
import { openTwoBackends } from '../two-backends.ts';

const minute = 60_000;
const day = 86_400_000;
const start = Date.parse('2026-01-31T12:00:00.000Z');

/** A machine whose clock is wherever it is set, beside one that nobody sets. */
function machine() {
  const state = { wall: start, up: 5_000, last: undefined as string | undefined, other: undefined as number | undefined };
  return {
    state,
    pass(milliseconds: number) {
      state.wall += milliseconds;
      state.up += milliseconds;
      if (state.other !== undefined) state.other += milliseconds;
    },
    watch: (other = false) =>
      createClockWatch({
        now: () => state.wall,
        uptime: () => state.up,
        lastEvent: async () => state.last,
        ...(other ? { otherClock: async () => state.other! } : {}),
      }),
  };
}

describe('the clock of this machine', () => {
  it('is believed while it runs evenly, however old the log is', async () => {
    const { state, pass, watch } = machine();
    const clock = watch();
    assert.equal(await clock.doubt(), undefined);
    state.last = formatTimestamp(start - 1000 * day);
    pass(900 * day);
    state.wall += minute;
    assert.equal(await clock.doubt(), undefined);
  });

  it('is doubted after a jump, either way, until it is back or accepted; the next jump is doubted again', async () => {
    const { state, pass, watch } = machine();
    const clock = watch();
    state.wall += 400 * day;
    assert.equal(await clock.doubt(), 'The clock of this machine jumped 400 days forward while this process ran.');
    await assert.rejects(clock.requireRight(), (error) => isArtifactstoreError(error, 'clock_in_doubt'));
    pass(day);
    state.wall -= 400 * day;
    assert.equal(await clock.doubt(), undefined);
    state.wall -= 10 * minute;
    assert.match((await clock.doubt()) ?? '', /jumped 10 minutes back/);
    clock.accept();
    assert.equal(await clock.doubt(), undefined);
    state.wall += 3 * day;
    assert.match((await clock.doubt()) ?? '', /3 days forward/);
  });

  it('is doubted while the log has events of its future, unless accepted', async () => {
    const { state, pass, watch } = machine();
    const clock = watch();
    state.last = formatTimestamp(start + 4 * minute);
    assert.equal(await clock.doubt(), undefined);
    state.last = formatTimestamp(start + 10 * minute);
    assert.equal(
      await clock.doubt(),
      'The last event of the log was written at 2026-01-31T12:10:00.000Z, and the clock of this machine says 2026-01-31T12:00:00.000Z.',
    );
    pass(6 * minute);
    assert.equal(await clock.doubt(), undefined);
    state.last = formatTimestamp(start + day);
    assert.notEqual(await clock.doubt(), undefined);
    clock.accept();
    assert.equal(await clock.doubt(), undefined);
  });

  it('is doubted while the database server has another, also from the start; where they agree, a jump put it right', async () => {
    const { state, watch } = machine();
    state.other = start - 400 * day;
    const clock = watch(true);
    assert.equal(await clock.doubt(), "The clock of this machine is 400 days ahead of the database server's.");
    state.wall -= 400 * day;
    assert.equal(await clock.doubt(), undefined);
    state.wall -= 2 * 3_600_000;
    assert.equal(await clock.doubt(), "The clock of this machine is 2 hours behind the database server's.");
  });
});

describe('a registry whose clock is in doubt', () => {
  it('neither sweeps nor collects, says so in its health, and does again once the clock is accepted', async () => {
    await using store = await openTwoBackends();
    let ahead = 0;
    const registry = store.over({ now: () => Date.now() + ahead });
    const producer = registry.as(administrator('producer'));
    const { record } = await producer.packages.create({ name: 'n', producer: 'near', subject: 's', retention_class: 'blink' });
    await producer.files.add(record.id, { relative_path: 'f', body: bytes() });
    await producer.packages.finalize(record.id);
    assert.deepEqual((await producer.health()).clock, { healthy: true, detail: 'ok' });

    ahead = 400 * day;
    const before = (await producer.health()).last_sequence;
    for (const run of [() => registry.operator.sweep(), () => registry.operator.collect()])
      await assert.rejects(run, (error) => isArtifactstoreError(error, 'clock_in_doubt'));
    const health = await producer.health();
    assert.deepEqual([health.status, health.clock.healthy, health.last_sequence], ['degraded', false, before]);
    assert.match((await registry.operator.clockDoubt()) ?? '', /400 days forward/);
    assert.equal((await registry.operator.sweep({ dryRun: true })).marked_count, 1);

    const runs: unknown[] = [];
    const autorun = registry.operator.autorun({ intervalSeconds: 0.02, onRun: (run) => runs.push(run) });
    while (store.incidents.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(isArtifactstoreError(store.incidents[0]!.error, 'clock_in_doubt'));
    assert.deepEqual(runs, []);
    await autorun.stop();

    registry.operator.acceptClock();
    assert.equal((await producer.health()).clock.healthy, true);
    await registry.operator.sweep();
    await registry.operator.collect();
  });

  it('counts the life of a new package from the time of the log when its own clock is behind', async () => {
    await using store = await openTwoBackends();
    const producer = store.as(administrator('producer'));
    const input = { name: 'n', producer: 'near', subject: 's', retention_class: 'blink' };
    await producer.packages.create(input);
    moveLastEvent(join(store.directory, 'artifactstore.db'), '2999-01-31T12:00:00.000Z');
    assert.equal((await producer.packages.create(input)).record.expires_at, '2999-01-31T12:00:01.000Z');
  });

  it('does not wait for the clock of a database that cannot be used', async () => {
    await using store = await openTwoBackends();
    const database = {
      ...store.database,
      health: async () => ({ healthy: false, migrated: true, detail: 'silent' }),
      clock: () => new Promise<never>(() => undefined),
    };
    const { db, clock } = await store.over({ database }).as(administrator('tester')).health();
    assert.deepEqual([db, clock.healthy], [{ healthy: false, detail: 'silent' }, true]);
  });

  it('waits an interval before its first run', async () => {
    await using store = await openTwoBackends();
    const runs: unknown[] = [];
    const autorun = store.operator.autorun({ intervalSeconds: 3600, onRun: (run) => runs.push(run) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(runs, []);
    await autorun.stop();
    assert.deepEqual(runs, []);
  });

  it('does not wait for a lease that a clock ahead of it has written', async () => {
    await using store = await openTwoBackends();
    const { database } = store;
    const take = (holder: string, seconds: number) => database.write('lease.take', { name: 'l', holder, seconds });
    assert.equal(await take('now', 60), true);
    assert.equal(await take('other', 60), false);
    assert.equal(await take('of the future', 60), false);
    await database.write('lease.release', { name: 'l', holder: 'now' });
    // As a clock 400 days ahead would have left it.
    assert.equal(await take('of the future', 400 * 86_400), true);
    assert.equal(await take('other', 60), true);
  });
});

async function* bytes(): AsyncIterable<Uint8Array> {
  yield Buffer.from('bytes');
}
