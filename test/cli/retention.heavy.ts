import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRegistry, type RemoteRegistry } from '../../src/client/connect.ts';
import type { Hold, RetentionRecord } from '../../src/registry/REGISTRY.ts';
import type { Collection, CollectionPlan, Sweep } from '../../src/registry/upkeep/OPERATOR.ts';
import { openWorkplace, type RunningServer, type Workplace } from './workplace.ts';

const absent = '01900000-0000-7000-8000-000000000000';
const classes = '[retention_classes.brief]\ndefault_duration_seconds = 1\n';

describe('retention from the command line, beside a running server', () => {
  let place: Workplace;
  let server: RunningServer;
  let registry: RemoteRegistry;
  before(async () => {
    place = openWorkplace({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' });
    place.write({ 'retention.toml': classes });
    server = await place.serve('serve', '--port', '0');
    registry = connectRegistry({ url: server.url, token: 'cli-test-token' });
  });
  after(async () => {
    await registry.close();
    await server.signal('SIGTERM');
    place[Symbol.dispose]();
  });

  const sealed = async (retention_class: string, files: Readonly<Record<string, string>>): Promise<string> => {
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class });
    for (const [relative_path, text] of Object.entries(files)) await registry.files.add(record.id, { relative_path, body: body(text) });
    await registry.packages.finalize(record.id);
    return record.id;
  };
  const lastSequence = async () => (await registry.events.page({ limit: 1 })).last_sequence;
  const expired = async (...ids: readonly string[]) => {
    for (const id of ids) {
      const { expires_at } = await registry.retention.show(id);
      await sleep(Math.max(0, Date.parse(expires_at!) - Date.now() + 10));
    }
  };

  test('shows, extends, holds and releases', async (t) => {
    const id = await sealed('raw-evidence', { f: 'kept' });
    const { expires_at: first } = await registry.retention.show(id);
    const shown = await place.run('retention', 'show', id);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, new RegExp(`^kept until ${first} \\(\\d+ days from now\\): class raw-evidence, 90 days from creation\\.\n`));
    assert.deepEqual(await place.json('retention', 'show', id), await registry.retention.show(id));

    const extended = await place.run('retention', 'extend', id, '--by', '30d', '--reason', 'audit');
    assert.equal(extended.code, 0, extended.stderr);
    const { expires_at: second } = await registry.retention.show(id);
    assert.equal(Date.parse(second!) - Date.parse(first!), 30 * 86_400_000);

    // The server is another process: the clock here is 400 days ahead for one command.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 400 * 86_400_000 });
    await place.json('retention', 'extend', id, '--by', '1d', '--reason', 'a clock that is wrong');
    t.mock.timers.reset();
    assert.equal(Date.parse((await registry.retention.show(id)).expires_at!) - Date.parse(second!), 86_400_000);

    const hold = await place.json<Hold & Record<string, unknown>>('retention', 'hold', id, '--reason', 'incident 12');
    assert.equal(hold.owner, 'tester');
    const another = (await place.run('retention', 'hold', id, '--reason', 'incident 13')).stdout.trim();
    const held = (await place.run('retention', 'show', id)).stdout;
    assert.match(held, /^held by tester since \S+: incident 12, and by 1 more; expires at /);
    assert.match(held, /^HOLD +OWNER +SINCE +REASON +RELEASED$/m);
    assert.match(held, /^\d+ +\S+ +tester +extended to \S+: audit$/m);
    assert.ok(held.includes(another));
    for (const [hold_id, ...reason] of [[hold.id, '--reason', 'closed'], [another]] as const)
      assert.equal((await place.run('retention', 'release', id, hold_id!, ...reason)).code, 0);
    const record = await place.json<RetentionRecord & Record<string, unknown>>(
      'retention',
      'extend',
      id,
      '--until',
      'never',
      '--reason',
      'reference',
    );
    assert.deepEqual([record.expires_at, record.holds.map(({ release_reason }) => release_reason)], [null, ['closed', null]]);
  });

  test('refuses what makes no sense, and changes nothing', async () => {
    const id = await sealed('raw-evidence', { f: 'kept too' });
    const forever = await sealed('permanent-record', { f: 'for ever' });
    const hold = await registry.retention.hold(id, { reason: 'once' });
    await registry.retention.release(id, hold.id);
    const sequence = await lastSequence();
    const reason = ['--reason', 'r'];
    const soon = new Date(Date.now() + 86_400_000).toISOString();
    const wrong: readonly (readonly [code: number, said: RegExp, ...args: readonly string[]])[] = [
      [2, /lies in the past.*invalid_value/, 'extend', id, '--until', '2001-01-01T00:00:00Z', ...reason],
      [2, /not later than the current one.*invalid_value/, 'extend', id, '--until', soon, ...reason],
      [2, /RFC 3339/, 'extend', id, '--until', 'tomorrow', ...reason],
      [2, /never expires/, 'extend', forever, '--by', '1d', ...reason],
      [2, /beyond the year 9999/, 'extend', id, '--by', '999999w', ...reason, '--json'],
      [2, /must be a duration/, 'extend', id, '--by', '30', ...reason],
      [2, /'--until <time>' and '--by <duration>'/, 'extend', id, ...reason],
      [2, /cannot be used with/, 'extend', id, '--by', '1d', '--until', 'never', ...reason],
      [2, /--reason: "reason" must say why/, 'extend', id, '--by', '1d', '--reason', ''],
      [2, /'--reason <reason>' not specified/, 'extend', id, '--by', '1d'],
      [2, /--reason: "reason" must say why/, 'hold', id, '--reason', '   '],
      [3, /package_not_found/, 'hold', absent, ...reason],
      [2, /invalid_id/, 'hold', 'nonsense', ...reason],
      [3, /has no hold.*hold_not_found/, 'release', id, absent],
      [3, /was released at .*hold_not_found/, 'release', id, hold.id],
      [3, /package_not_found/, 'show', absent],
    ];
    for (const batch of [wrong.slice(0, 8), wrong.slice(8)])
      for (const { code, said, args, result } of await Promise.all(
        batch.map(async ([code, said, ...args]) => ({ code, said, args, result: await place.run('retention', ...args) })),
      )) {
        assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
        assert.match(result.stderr, said, args.join(' '));
        assert.equal(result.stdout, '', args.join(' '));
      }
    assert.equal(await lastSequence(), sequence);
    assert.equal((await place.run('push', '.', '--retention-class', 'unknown')).code, 2);
    assert.equal(await lastSequence(), sequence);
  });

  test('a retention file that is wrong stops every start, naming file and line', async () => {
    const wrong: readonly (readonly [text: string, line: number])[] = [
      ['[retention_classes.brief]\ndefault_duration_seconds = = 1\n', 2],
      ['# classes\n\n[retention_clases.brief]\ndefault_duration_seconds = 1\n', 3],
      ['[retention_classes.brief]\nduration = 1\n', 2],
      ['[retention_classes."Not A Slug"]\n', 1],
    ];
    await Promise.all(
      wrong.map(async ([text, line], index) => {
        using other = openWorkplace({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'wrong.toml' });
        other.write({ 'wrong.toml': text });
        const { code, stderr } = index === 0 ? await other.spawned('serve', '--port', '0') : await other.run('retention', 'sweep');
        assert.equal(code, 2, stderr);
        assert.ok(stderr.includes(`ARTIFACTSTORE_RETENTION_CONFIG_PATH: ${other.path('wrong.toml')}, line ${line}: `), stderr);
      }),
    );
  });

  test('sweeps and collects what is over, and nothing that is held or shared', async () => {
    const going = await sealed('brief', { own: 'only here', shared: 'in two packages' });
    const held = await sealed('brief', { f: 'held from the start' });
    const saved = await sealed('brief', { f: 'held at the last moment' });
    const staying = await sealed('transient', { shared: 'in two packages' });
    const { id: holdId } = await registry.retention.hold(held, { reason: 'evidence' });
    await expired(going, held, saved);
    assert.match(
      (await place.run('retention', 'show', going)).stdout,
      /^expired at \S+, goes with the first collection after the next sweep: /,
    );

    const before = await lastSequence();
    const planned = JSON.parse((await place.run('retention', 'sweep', '--dry-run')).stdout) as Sweep;
    assert.deepEqual([...planned.marked_package_ids].sort(), [going, saved].sort());
    assert.equal(await lastSequence(), before);
    const swept = JSON.parse((await place.run('retention', 'sweep')).stdout) as Sweep;
    assert.deepEqual(swept, planned);
    assert.equal(swept.marked_count, 2);

    await registry.retention.hold(saved, { reason: 'wait' });
    const marked = await lastSequence();
    const plan = await place.json<CollectionPlan & Record<string, unknown>>('retention', 'gc', '--dry-run');
    const expectedPlan = {
      abandon_package_ids: [],
      collect_package_ids: [going],
      release_locations: 2,
      delete_orphans: [],
      expire_uploads: 0,
      expire_write_sessions: 0,
      reclaim_drafts: 0,
    };
    assert.deepEqual(plan, { ...expectedPlan, delete_objects: [{ backend_id: 'local', objects: 1, bytes: 'only here'.length }] });
    const shownPlan = await place.run('retention', 'gc', '--dry-run');
    assert.match(shownPlan.stdout, new RegExp(`^collect {2}${going}\nwould release 2 locations .*nothing was changed\nBACKEND`));
    assert.equal(await lastSequence(), marked);

    const ended = await Promise.all([1, 2].map(() => place.spawned('retention', 'gc', '--json')));
    assert.deepEqual(
      ended.map(({ code, stderr }) => [code, stderr]),
      [
        [0, ''],
        [0, ''],
      ],
    );
    const runs = ended.map(({ stdout }) => JSON.parse(stdout) as Collection);
    assert.deepEqual(
      runs.flatMap(({ collected_package_ids }) => collected_package_ids),
      [going],
    );
    assert.equal(
      runs.reduce((sum, { released_locations }) => sum + released_locations, 0),
      2,
    );
    const shown = await place.run('retention', 'gc');
    assert.match(shown.stdout, /^collected 0 packages, 0 abandoned; 0 locations released/);
    assert.match(shown.stdout, /^local +(\d+) +(\S+ \S+) +\1 +\2 +none$/m);

    for (const [id, path, text] of [
      [held, 'f', 'held from the start'],
      [saved, 'f', 'held at the last moment'],
      [staying, 'shared', 'in two packages'],
    ] as const)
      assert.equal(await read(registry, id, path), text);
    await assertCollected(going);

    await registry.retention.release(held, holdId);
    assert.deepEqual((JSON.parse((await place.run('retention', 'sweep')).stdout) as Sweep).marked_package_ids, [held]);
    assert.deepEqual((await place.json<Collection & Record<string, unknown>>('retention', 'gc')).collected_package_ids, [held]);
  });

  async function assertCollected(id: string): Promise<void> {
    assert.match((await place.run('retention', 'show', id)).stdout, /^collected at \S+; its bytes are gone\.\n/);
    const [extend, hold] = await Promise.all([
      place.run('retention', 'extend', id, '--until', 'never', '--reason', 'too late'),
      place.run('retention', 'hold', id, '--reason', 'too late'),
    ]);
    for (const { code, stderr } of [extend, hold]) {
      assert.equal(code, 3);
      assert.match(stderr, /was collected.*\(package_collected\)/);
    }
    const answer = await fetch(`${server.url}/packages/${id}/retention/holds`, {
      method: 'POST',
      headers: { authorization: 'Bearer cli-test-token', 'content-type': 'application/json' },
      body: '{"reason":"too late"}',
    });
    assert.equal(answer.status, 410);
    const record = await registry.files.find(id, 'own');
    assert.deepEqual([record?.relative_path, record?.locations[0]?.state], ['own', 'deleted']);
  }
});

test('serve collects by itself when it is told to, in one of its workers at a time', async () => {
  using place = openWorkplace({
    ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml',
    ARTIFACTSTORE_RETENTION_AUTORUN: 'true',
    ARTIFACTSTORE_RETENTION_SWEEP_INTERVAL_SECONDS: '1',
  });
  place.write({ 'retention.toml': classes, 'tree/f': 'gone soon' });
  const server = await place.serve('serve', '--port', '0', '--workers', '2');
  const registry = connectRegistry({ url: server.url, token: 'cli-test-token' });
  try {
    const { package_id } = await place.json<{ readonly package_id: string }>('push', 'tree', '--retention-class', 'brief');
    const collected = () =>
      server
        .log()
        .split('\n')
        .filter((line) => /"collected_packages":1,.*"msg":"the retention run is done"/.test(line));
    for (let tries = 0; collected().length === 0; tries += 1) {
      assert.ok(tries < 2_400, server.log());
      await sleep(25);
    }
    assert.equal((await registry.packages.get(package_id))?.status, 'garbage_collected');
    const { items } = await registry.events.page({ event_type: 'v1.package.garbage_collected' });
    assert.deepEqual(
      items.map(({ actor }) => actor),
      ['retention-autorun'],
    );
    assert.match(collected()[0]!, /"marked_packages":1,"abandoned_packages":0,.*"released_locations":1,"deleted_objects":1,/);
    assert.doesNotMatch(server.log(), /"level":(?:40|50)/);
  } finally {
    await registry.close();
  }
  assert.equal(await server.signal('SIGTERM'), 0);
});

async function read(registry: RemoteRegistry, package_id: string, relative_path: string): Promise<string> {
  const opened = await registry.files.open({ package_id, relative_path });
  return Buffer.concat(await Array.fromAsync(opened!.body)).toString();
}

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
