import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { storageConformance } from '../../src/storage/conformance.ts';
import { guardStorage } from '../../src/storage/guarded.ts';
import { openLocalStorage } from '../../src/storage/local/local.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/STORAGE.ts';

const ours = 'registry-a';

for (const kind of ['local', 'memory'] as const)
  storageConformance(`${kind}, guarded`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'artifactstore-guarded-'));
    const inner = kind === 'local' ? openLocalStorage({ id: 'local', root: join(directory, 'made') }) : openMemoryStorage({ id: 'memory' });
    return { storage: guard(inner).storage, close: () => rm(directory, { recursive: true }) };
  });

describe('a store that belongs to one registry', () => {
  const check = (title: string, body: (root: string) => Promise<void>): void => {
    test(title, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'artifactstore-guarded-'));
      try {
        await body(join(directory, 'root'));
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
  };

  check('is made by the first write and by nothing else, and says whose it is', async (root) => {
    const { storage, log } = open(root);
    assert.deepEqual([await storage.get('k'), await storage.head('k'), await listed(storage)], [undefined, undefined, []]);
    await storage.delete('k');
    assert.equal(await storage.reclaim!(0), 0);
    assert.equal((await storage.health()).healthy, true);
    await storage.ownership.confirm();
    assert.equal(existsSync(root), false);
    await storage.put('k', one('bytes'));
    const marker = JSON.parse(await readFile(join(root, 'registry.json'), 'utf8'));
    assert.deepEqual(marker, { format: 1, registry_id: ours, backend_id: 'local', created_at: '2026-01-01T00:00:00.000Z' });
    assert.equal(log.recorded, true);
    assert.deepEqual(await listed(storage), ['k'], 'the marker is no object');
    for (const refused of [
      storage.delete('registry.json'),
      storage.put('registry.json', one('x')),
      storage.create('registry.json', Buffer.of(1)),
    ])
      await assert.rejects(refused, (error) => isArtifactstoreError(error, 'internal'));
  });

  check('is opened for the first time by several at once', async (root) => {
    const guards = Array.from({ length: 4 }, () => open(root).storage);
    await Promise.all(guards.map((storage, index) => storage.put(`k${index}`, one('x'))));
    assert.deepEqual((await listed(guards[0]!)).sort(), ['k0', 'k1', 'k2', 'k3']);
  });

  check('is refused without its marker where the log knows of objects, and nothing is made', async (root) => {
    for (const prepare of [async () => undefined, () => mkdir(root)]) {
      await prepare();
      const before = existsSync(root);
      const { storage } = open(root, { known: true, liveObjects: 3 });
      await everythingFails(storage, /has no marker of this registry, and 3 live objects should lie there: is it mounted\?/);
      assert.deepEqual([existsSync(root), before ? await readdir(root) : []], [before, []]);
    }
    await everythingFails(open(root, { recorded: true }).storage, /has no marker of this registry/);
  });

  check('is refused where objects lie of which the log knows nothing, until it is adopted', async (root) => {
    await mkdir(join(root, 'blake3/ab/cd'), { recursive: true });
    await mkdir(join(root, 'certify-0123456789ab'));
    await writeFile(join(root, 'certify-0123456789ab/k'), 'of a certification that is under way');
    assert.deepEqual(await listed(open(root).storage), []);
    const key = `blake3/ab/cd/${'abcd'.repeat(16)}`;
    await writeFile(join(root, key), 'x');
    const { storage } = open(root);
    await everythingFails(
      storage,
      /lie 1 object of which this registry \(registry-a\) knows nothing; they look like those of artifactstore 0\.1/,
    );
    await storage.ownership.adopt();
    assert.deepEqual((await listed(storage)).sort(), [key, 'certify-0123456789ab/k']);
  });

  check('is refused with the marker of another registry, or of another backend, also to be adopted', async (root) => {
    await open(root).storage.put('k', one('x'));
    for (const other of [open(root, {}, 'registry-b').storage, guard(openLocalStorage({ id: 'second', root })).storage]) {
      await everythingFails(
        other,
        /belongs to registry registry-a, as its backend "local"; this is registry (registry-b|registry-a), backend/,
      );
      await assert.rejects(other.ownership.adopt(), (error) => isArtifactstoreError(error, 'storage_unavailable'));
    }
    await writeFile(join(root, 'registry.json'), '<html>');
    await assert.rejects(open(root).storage.head('k'), /is not the marker of a registry/);
  });

  check('is not new where something that is no file lies in the place of its marker', async (root) => {
    for (const prepare of [
      () => mkdir(join(root, 'registry.json'), { recursive: true }),
      () => symlink('nowhere', join(root, 'registry.json')),
    ]) {
      await prepare();
      await everythingFails(open(root).storage, /is not the marker of a registry/);
      await rm(join(root, 'registry.json'), { recursive: true });
    }
  });

  check('takes nothing while it is unmounted under a running process, and serves again when it is back', async (root) => {
    const { storage, log, doubts } = open(root);
    await storage.put('k', one('x'));
    log.known = true;
    await rename(root, `${root}-away`);
    await everythingFails(storage, /no marker|cannot be used/);
    assert.equal(existsSync(root), false);
    // The bare mount point, with what an older version left in it.
    await mkdir(join(root, 'drafts'), { recursive: true });
    await everythingFails(storage, /no marker/);
    assert.deepEqual(await readdir(root, { recursive: true }), ['drafts']);
    assert.equal(doubts.length, 1, 'it is told once');
    await rm(root, { recursive: true });
    await rename(`${root}-away`, root);
    assert.deepEqual(await storage.head('k'), { sizeBytes: 1 });
    await storage.put('k2', one('y'));
    assert.equal((await storage.health()).healthy, true);
  });
});

interface Log {
  registryId: string;
  known: boolean;
  recorded: boolean;
  liveObjects: number;
}

function open(root: string, log: Partial<Log> = {}, registryId = ours) {
  return guard(openLocalStorage({ id: 'local', root }), { registryId, ...log });
}

/** Over a log that is a plain object. */
function guard(inner: Storage, given: Partial<Log> = {}) {
  const log: Log = { registryId: ours, known: false, recorded: false, liveObjects: 0, ...given };
  const doubts: unknown[] = [];
  const storage = guardStorage(inner, {
    where: 'the place',
    setting: 'SETTING',
    look: async () => ({ ...log }),
    record: async () => {
      log.recorded = true;
    },
    now: () => '2026-01-01T00:00:00.000Z',
    onDoubt: (error) => doubts.push(error),
  });
  return { storage, log, doubts };
}

async function everythingFails(storage: ReturnType<typeof guardStorage>, message: RegExp): Promise<void> {
  for (const [what, action] of Object.entries({
    get: () => storage.get('k2'),
    head: () => storage.head('k2'),
    delete: () => storage.delete('k2'),
    list: () => listed(storage),
    put: () => storage.put('k2', one('x')),
    create: () => storage.create('k2', Buffer.of(1)),
    reclaim: () => storage.reclaim!(0),
    prepare: () => storage.drafts!.prepare(),
    publish: () => storage.drafts!.publish(join(storage.drafts!.directory, randomUUID()), 'k2'),
    confirm: () => storage.ownership.confirm(),
    claim: () => storage.ownership.claim(),
  }))
    await assert.rejects(action, (error) => isArtifactstoreError(error, 'storage_unavailable') && message.test(error.message), what);
  const health = await storage.health();
  assert.equal(health.healthy, false);
  assert.match(health.detail, message);
}

function listed(storage: Storage): Promise<string[]> {
  return Array.fromAsync(storage.list(''), ({ key }) => key);
}

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
