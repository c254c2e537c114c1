import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

describe('backup and restore on the command line', () => {
  let place: Workplace;
  before(async () => {
    place = openWorkplace();
    await using store = await openStore(readConfig({}, { directory: place.directory }), { migrate: true });
    const registry = store.as('tester');
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    for (const relative_path of ['a', 'b']) await registry.files.add(record.id, { relative_path, body: body(relative_path) });
    await store.operator.settleHeld();
  });
  after(() => place[Symbol.dispose]());

  async function* body(text: string): AsyncIterable<Uint8Array> {
    yield Buffer.from(text);
  }
  const objectsIn = (path: string) =>
    readdirSync(place.path(path), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));

  test('say what was done, and end with what they promise', async () => {
    const made = await place.run('backup', 'kept');
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^backed up the log up to event 4, 2 objects \(2 B\) to .*\/kept\n$/);
    assert.match(made.stderr, /^new in this run: 4 events, 2 objects/);
    assert.deepEqual((await place.json<{ readonly copied: unknown }>('backup', 'kept')).copied, { events: 0, objects: 0, bytes: 0 });

    const [object] = objectsIn('kept/objects');
    writeFileSync(object!, 'c');
    const verified = await place.run('backup', 'verify', 'kept');
    assert.equal(verified.code, 5);
    assert.match(verified.stdout, /^damaged {2}objects\/blake3\/.* its blake3 digest is /);
    assert.match(verified.stderr, /hint: run `artifactstore backup --verify` on the registry/);
    assert.equal((await place.run('backup', '--verify', 'kept')).code, 0);
    assert.equal((await place.run('backup', 'verify', 'kept')).code, 0);

    const [stored] = objectsIn('var/storage');
    renameSync(stored!, place.path('gone'));
    const incomplete = await place.run('backup', 'other');
    assert.equal(incomplete.code, 5);
    assert.match(incomplete.stdout, /^missing {2}blake3:[0-9a-f]{64} {2}local: the object is not in the store\ncopied the log/);
    assert.equal(JSON.parse(readFileSync(place.path('other/backup.json'), 'utf8')).state, 'incomplete');
    renameSync(place.path('gone'), stored!);

    for (const [code, ...args] of [
      [4, 'backup', 'var'],
      [4, 'restore', 'kept'],
      [2, 'backup', 'verify', 'nowhere'],
      [2, 'restore', 'nowhere'],
    ] as const)
      assert.equal((await place.run(...args)).code, code, args.join(' '));
    renameSync(place.path('var'), place.path('old'));
    const restored = await place.run('restore', 'kept');
    assert.match(restored.stdout, /^restored the log up to event 4, 2 objects \(2 B\)\n$/, restored.stderr);
    assert.equal((await place.json<{ readonly objects: number }>('storage', 'verify', '--backend', 'local')).objects, 2);
  });
});
