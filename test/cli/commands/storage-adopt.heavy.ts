import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

test('a store that is absent is not adopted, and not made', async () => {
  using place = openWorkplace();
  await place.run('migrate');
  const { code, stderr } = await place.run('storage', 'adopt', '--backend', 'local');
  assert.equal(code, 6);
  assert.match(stderr, /var\/storage: it is not there .*\nhint: mount what belongs there; if the store is to be new, make the directory/);
});

test('a store without its marker: told by every command, taken over by storage adopt', async () => {
  using place = openWorkplace();
  await add(place, 'one', 'two');
  const marker = place.path('var/storage/registry.json');
  rmSync(marker);

  for (const command of [
    ['retention', 'gc'],
    ['storage', 'verify', '--backend', 'local'],
    ['storage', 'verify', '--backend', 'local', '--orphans', '--delete'],
  ]) {
    const { code, stderr } = await place.run(...command);
    assert.equal(code, 6, command.join(' '));
    assert.match(stderr, /has no marker of this registry, and 2 live objects should lie there: is it mounted\? \(storage_unavailable\)/);
    assert.match(stderr, /hint: mount it, or look at ARTIFACTSTORE_STORAGE_LOCAL_ROOT\..*`artifactstore storage adopt --backend local`/);
  }
  const health = await place.run('health');
  assert.equal(health.code, 1);
  const { db, backend } = JSON.parse(health.stdout);
  assert.deepEqual([db.healthy, backend.healthy], [true, false]);

  const shown = await place.run('storage', 'adopt', '--backend', 'local', '--dry-run');
  assert.match(shown.stdout, /^in the store +2 objects, 6 B\nin the log +2 live objects, 6 B; 2 of them lie there\nnothing was changed\n$/);
  const adopted = await place.run('storage', 'adopt', '--backend', 'local');
  assert.deepEqual([adopted.code, adopted.stderr], [0, '']);
  assert.match(adopted.stdout, /\nadopted local: it belongs to registry [0-9a-f-]{36} now\n$/);
  assert.equal((await place.run('storage', 'verify', '--backend', 'local')).code, 0);

  // Not what the log says: only when it is confirmed.
  rmSync(marker);
  renameSync(place.path('var/storage/blake3'), place.path('lost'));
  writeFileSync(place.path('var/storage/note.txt'), 'by somebody');
  mkdirSync(place.path('var/storage/blake3/ab/cd'), { recursive: true });
  writeFileSync(place.path('var/storage/blake3/ab/cd', `abcd${'0'.repeat(60)}`), 'x');
  const refused = await place.run('storage', 'adopt', '--backend', 'local');
  assert.equal(refused.code, 4);
  assert.match(
    refused.stdout,
    /2 live objects, 6 B; 0 of them lie there\nunknown +1 object that the next collection deletes\nother files +1, left alone\n$/,
  );
  const [, id] = /--confirm ([0-9a-f-]{36})`/.exec(refused.stderr)!;
  assert.equal((await place.run('storage', 'adopt', '--backend', 'local', '--confirm', id!.replace(/.$/, 'x'))).code, 2);
  assert.ok(!readdirSync(place.path('var/storage')).includes('registry.json'));
  assert.equal((await place.run('storage', 'adopt', '--backend', 'local', '--confirm', id!)).code, 0);
  assert.equal((await place.run('storage', 'verify', '--backend', 'local')).code, 5);
});

test('another database in front of a full store changes nothing, and is told so', async () => {
  using place = openWorkplace();
  await add(place, 'one');
  using other = openWorkplace({
    ARTIFACTSTORE_DATABASE_URL: 'sqlite:./other.db',
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: place.path('var/storage'),
  });
  const before = readdirSync(place.path('var/storage'), { recursive: true });
  await other.run('migrate');
  for (const command of [
    ['retention', 'gc'],
    ['retention', 'gc', '--dry-run'],
    ['storage', 'verify', '--backend', 'local'],
    ['storage', 'verify', '--backend', 'local', '--since', '1d'],
    ['storage', 'adopt', '--backend', 'local'],
  ]) {
    const { code, stderr } = await other.run(...command);
    assert.equal(code, 6, command.join(' '));
    assert.match(stderr, /belongs to registry [0-9a-f-]{36}, as its backend "local"; this is registry [0-9a-f-]{36}, backend "local"/);
  }
  assert.equal((await other.run('health')).code, 1);
  assert.deepEqual(readdirSync(place.path('var/storage'), { recursive: true }), before);
});

/** Each text as a file, without a server. */
async function add({ directory }: Workplace, ...texts: readonly string[]): Promise<void> {
  await using store = await openStore(readConfig({}, { directory }), { migrate: true });
  const registry = store.as('x');
  const { id } = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
  for (const text of texts) {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text);
    }
    await registry.files.add(id, { relative_path: text, body: body() });
  }
  await store.operator.settleHeld();
}
