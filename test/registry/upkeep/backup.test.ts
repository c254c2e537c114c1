import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkBackupIn, restoreStore } from '../../../src/compose/restore-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { parseAddress } from '../../../src/kernel/content/address.ts';
import { objectKey } from '../../../src/kernel/content/key.ts';
import type { Registry } from '../../../src/registry/REGISTRY.ts';
import { dumpViews } from '../dump-views.ts';
import { openTestRegistry, type TestRegistry } from '../open-registry.ts';
import { add, damage, databaseIn, emptyPlaces, environmentIn, read, scratch } from './backup-places.ts';

describe('a backup', () => {
  let store: TestRegistry;
  let registry: Registry;
  let place: ReturnType<typeof scratch>;
  let target: string;
  const long = 'x'.repeat(3_000_000);
  let first: Awaited<ReturnType<typeof add>>;
  const objectIn = (address: string) => join(target, 'objects', objectKey(parseAddress(address), 0));

  before(async () => {
    store = await openTestRegistry();
    registry = store.as('tester');
    place = scratch();
    target = join(place.path, 'backup');
    first = await add(registry, 'one', true, 'key-1');
    await add(registry, long);
  });
  after(async () => {
    await store.close();
    place[Symbol.dispose]();
  });

  it('goes on where a stopped run was, and a directory that was never finished is none', async () => {
    const stop = new AbortController();
    await assert.rejects(
      store.operator.backup(target, { jobs: 1, signal: stop.signal, onProgress: ({ objects }) => objects === 1 && stop.abort() }),
    );
    await assert.rejects(checkBackupIn(target, {}), /never finished/);
    await assert.rejects(restoreStore(emptyPlaces(place.path, 'never'), target, {}), { code: 'integrity_failure' });

    const made = await store.operator.backup(target);
    assert.deepEqual([made.ok, made.objects, made.copied], [true, 2, { events: 0, objects: 1, bytes: made.bytes - 'one'.length }]);
    assert.deepEqual(await checkBackupIn(target, { read: true }).then(({ problems, objects }) => [problems, objects]), [[], 2]);
  });

  it('copies what is new, once, and nothing when there is nothing', async () => {
    // Half of an object, which a run that was killed left.
    const draft = join(target, 'objects', 'drafts', randomUUID());
    writeFileSync(draft, 'half');
    utimesSync(draft, 1, 1);
    await add(registry, 'two');
    await add(registry, 'one');
    const files = () => readdirSync(target, { recursive: true }).length;
    assert.deepEqual((await store.operator.backup(target)).copied, { events: 8, objects: 1, bytes: 3 });
    assert.equal(existsSync(draft), false);
    const before = files();
    assert.deepEqual((await store.operator.backup(target)).copied, { events: 0, objects: 0, bytes: 0 });
    assert.equal(files(), before);
  });

  it('comes back byte for byte, with its keys, blocks and idempotency keys, once', async () => {
    const made = await store.operator.backup(target);
    const config = emptyPlaces(place.path, 'whole');
    const restored = await restoreStore(config, target, {});
    assert.deepEqual(
      { ok: restored.ok, sequence: restored.sequence, chain_digest: restored.chain_digest, objects: restored.objects },
      { ok: true, sequence: made.sequence, chain_digest: made.chain_digest, objects: 3 },
    );
    await using again = await openTestRegistry(environmentIn(place.path, 'whole'));
    assert.deepEqual(dumpViews(databaseIn(place.path, 'whole')), dumpViews(join(store.directory, 'var/artifactstore.db')));
    assert.equal(await read(again, first.id), 'one');
    assert.equal((await again.as('tester').packages.create(first.input, { idempotencyKey: 'key-1' })).created, false);
    assert.deepEqual(await again.operator.verifyStorage('local').then(({ failed, missing }) => [failed, missing]), [0, 0]);
    assert.equal((await again.operator.collect()).deleted_orphans, 0);
    await add(again.as('tester'), 'after the restore');

    await assert.rejects(restoreStore(config, target, {}), { code: 'target_in_use' });
    const other = { ...config, database: emptyPlaces(place.path, 'other').database };
    await assert.rejects(restoreStore(other, target, {}), /is not empty: it holds blake3/);
    // Only the database was lost; one object went with it.
    const [some] = readdirSync(join(place.path, 'whole/storage/blake3'), { recursive: true, withFileTypes: true }).filter((e) =>
      e.isFile(),
    );
    unlinkSync(join(some!.parentPath, some!.name));
    const beside = await restoreStore(other, target, { resume: true });
    assert.ok(beside.ok && beside.objects + beside.kept_objects === 3);
  });

  it('finds a flipped bit, a short and a lost object and a damaged log, and copies them anew', async () => {
    damage(objectIn(first.file.content_address));
    assert.deepEqual(await checkBackupIn(target, {}).then(({ problems }) => problems), [], 'a look at lengths does not read');
    const [problem] = (await checkBackupIn(target, { read: true })).problems;
    assert.equal(problem?.content_address, first.file.content_address);
    const restored = await restoreStore(emptyPlaces(place.path, 'damaged'), target, {});
    assert.deepEqual(
      restored.missing.map(({ content_address }) => content_address),
      [first.file.content_address],
    );
    assert.deepEqual(await store.operator.backup(target, { read: true }).then(({ ok, copied }) => [ok, copied.objects]), [true, 1]);

    truncateSync(objectIn(first.file.content_address), 1);
    assert.deepEqual(await store.operator.backup(target).then(({ ok, copied }) => [ok, copied.objects]), [true, 1]);
    unlinkSync(objectIn(first.file.content_address));
    assert.deepEqual(await store.operator.backup(target).then(({ ok, copied }) => [ok, copied.objects]), [true, 1]);

    const [segment] = readdirSync(join(target, 'log')).sort();
    // Still well-formed, and another actor.
    const path = join(target, 'log', segment!);
    const good = readFileSync(path, 'latin1');
    writeFileSync(path, good.replace('tester', 'jester'), 'latin1');
    await assert.rejects(checkBackupIn(target, {}), /event 1 does not continue the chain/);
    await assert.rejects(restoreStore(emptyPlaces(place.path, 'forged'), target, {}), { code: 'integrity_failure' });
    await assert.rejects(store.operator.backup(target), { code: 'integrity_failure' });
    writeFileSync(path, good, 'latin1');
    damage(join(target, 'log', segment!));
    await assert.rejects(checkBackupIn(target, {}), { code: 'integrity_failure' });
    await assert.rejects(restoreStore(emptyPlaces(place.path, 'broken'), target, {}), { code: 'integrity_failure' });
    await assert.rejects(store.operator.backup(target), { code: 'integrity_failure' });
    unlinkSync(join(target, 'log', segment!));
    assert.equal((await store.operator.backup(target)).ok, true);
    assert.deepEqual((await checkBackupIn(target, { read: true })).problems, []);
  });

  it('is no part of its registry, by whatever links, and nothing is restored into it', async () => {
    const storage = join(store.directory, 'var/storage');
    const link = join(place.path, 'link');
    symlinkSync(storage, link);
    const inside = { code: 'target_in_use', message: /lies within .*var\/storage.*ARTIFACTSTORE_STORAGE_LOCAL_ROOT/ };
    for (const path of [storage, join(storage, 'backup'), join(storage, 'blake3', 'a', 'b'), join(link, 'backup')])
      await assert.rejects(store.operator.backup(path), inside, path);
    assert.deepEqual(
      ['backup', 'blake3/a'].map((name) => existsSync(join(storage, name))),
      [false, false],
    );

    await store.operator.backup(target);
    const files = () => readdirSync(target, { recursive: true }).sort();
    const before = files();
    symlinkSync(target, join(place.path, 'to-target'));
    for (const name of ['backup', 'to-target'])
      await assert.rejects(restoreStore(emptyPlaces(place.path, name), target, {}), {
        code: 'target_in_use',
        message: /lies within the backup .*Nothing was changed/,
      });
    const around = { ...environmentIn(place.path, 'apart'), ARTIFACTSTORE_DATABASE_URL: `sqlite:${join(target, 'a.db')}` };
    await assert.rejects(restoreStore(readConfig(around, { directory: place.path }), target, {}), {
      code: 'target_in_use',
      message: /a\.db \(ARTIFACTSTORE_DATABASE_URL\) lies within the backup/,
    });
    assert.deepEqual(files(), before);
  });

  it('is not called good, and no target is touched, when a restore could not read its idempotency keys', async () => {
    await store.operator.backup(target);
    const keys = join(target, 'idempotency-keys.jsonl');
    const spoil = [() => truncateSync(keys, 40), () => writeFileSync(keys, '{}\n'), () => unlinkSync(keys)];
    for (const [index, change] of spoil.entries()) {
      change();
      const damaged = { code: 'integrity_failure', message: /idempotency-keys\.jsonl is (?:damaged|missing)/ };
      await assert.rejects(checkBackupIn(target, {}), damaged);
      await assert.rejects(restoreStore(emptyPlaces(place.path, `keyless-${index}`), target, {}), damaged);
      const made = readdirSync(place.path, { recursive: true, encoding: 'utf8' }).filter((path) => path.startsWith(`keyless-${index}`));
      assert.ok(!made.some((path) => /registry\.json|blake3/.test(path)), made.join());
      await store.operator.backup(target);
      assert.deepEqual((await checkBackupIn(target, {})).problems, []);
    }
  });

  it('says nothing of its objects when it is unmounted while it is read', async () => {
    const away = `${target}-away`;
    const onProgress = () => void (existsSync(target) && renameSync(target, away));
    for (const read of [false, true]) {
      await assert.rejects(checkBackupIn(target, { read, jobs: 1, onProgress }), { code: 'storage_unavailable' });
      renameSync(away, target);
    }
  });

  it('names what is live and lost, keeps a good copy of it that it has, and is then incomplete', async () => {
    const lost = await add(registry, 'lost');
    await store.operator.settleHeld();
    const path = join(store.directory, 'var/storage', lost.file.locations[0]!.object_key);
    renameSync(path, `${path}.away`);
    const made = await store.operator.backup(target);
    assert.deepEqual(
      [made.ok, made.missing.map(({ content_address }) => content_address), made.objects],
      [false, [lost.file.content_address], 3],
    );
    assert.equal((await checkBackupIn(target, {})).state, 'incomplete');
    renameSync(`${path}.away`, path);
    assert.deepEqual(await store.operator.backup(target).then(({ ok, copied }) => [ok, copied.objects]), [true, 1]);
    // Bad in the store, good in the copy of an earlier run: nothing is missing.
    unlinkSync(path);
    assert.equal((await store.operator.backup(target)).ok, true);
  });

  it('is not made while the storage is not mounted', async () => {
    const root = join(store.directory, 'var/storage');
    renameSync(root, `${root}.unmounted`);
    await add(registry, 'never').catch(() => undefined);
    unlinkSync(join(target, 'objects', objectKey(parseAddress(first.file.content_address), 0)));
    await assert.rejects(store.operator.backup(target), { code: 'storage_unavailable' });
    renameSync(`${root}.unmounted`, root);
    assert.equal((await store.operator.backup(target)).ok, true);
  });

  it('refuses the directory of another registry, one that holds something else, and a registry that went back in time', async () => {
    await using other = await openTestRegistry();
    await add(other.as('tester'), 'other');
    const draft = join(target, 'log', `page.${randomUUID()}.draft`);
    writeFileSync(draft, 'of a run that works on it');
    await assert.rejects(other.operator.backup(target), { code: 'target_in_use' });
    assert.ok(existsSync(draft));
    rmSync(draft);
    const theirs = { ...emptyPlaces(place.path, 'theirs'), backends: other.config.backends };
    await assert.rejects(restoreStore(theirs, target, { resume: true }), /belongs to registry .* this is registry/);
    await assert.rejects(store.operator.backup(place.path), { code: 'target_in_use' });
    // The restored one went another way after the backup's head.
    const early = join(place.path, 'early');
    await store.operator.backup(early);
    await restoreStore(emptyPlaces(place.path, 'back'), early, {});
    await using back = await openTestRegistry(environmentIn(place.path, 'back'));
    await add(registry, 'here');
    await store.operator.backup(early);
    await add(back.as('tester'), 'there');
    await assert.rejects(back.operator.backup(early), /or has differently/);
  });
});
