import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesBody, type RemoteRegistry } from '../../../src/client/connect.ts';
import { decodeIndex, encodeIndex, stateBytes } from '../../../src/client/digest-index/index-file.ts';
import { fillPackage } from '../../../src/client/push/fill-package.ts';
import { createHashing } from '../../../src/client/push/hashing.ts';
import { libraryNames } from '../../../src/client/transfer-options.ts';
import { walkTree } from '../../../src/client/tree/walk.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openServedWorkplace, type ServedWorkplace } from '../served-workplace.ts';
import type { Workplace } from '../workplace.ts';

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly info: { readonly added: readonly string[]; readonly removed: readonly string[]; readonly changed: readonly string[] };
}

describe('a package is sealed with exactly the files of the directory', () => {
  let served: ServedWorkplace;
  let place: Workplace;
  let registry: RemoteRegistry;
  before(async () => {
    served = await openServedWorkplace();
    ({ place, registry } = served);
  });
  after(() => served[Symbol.asyncDispose]());

  /** What a push under this key leaves when it is stopped after these files. */
  async function stopped(name: string, files: Readonly<Record<string, string>>, executable: readonly string[] = []): Promise<string> {
    const input = { name, producer: 'cli', subject: name, retention_class: 'raw-evidence', metadata: {} };
    const { record } = await registry.packages.create(input, { idempotencyKey: name });
    for (const [path, text] of Object.entries(files))
      await registry.files.add(record.id, {
        relative_path: path,
        body: bytesBody(Buffer.from(text)),
        ...(executable.includes(path) ? { annotations: { mode: 'executable' } } : {}),
      });
    return record.id;
  }

  async function conflict(directory: string, key: string, ...more: readonly string[]): Promise<Problem> {
    const { code, stdout, stderr } = await place.run('push', directory, '--idempotency-key', key, '--json', ...more);
    assert.deepEqual([code, stdout], [4, ''], stderr);
    return JSON.parse(stderr) as Problem;
  }

  const statusOf = async (id: string) => (await registry.packages.get(id))?.status;

  test('a push that is resumed seals it when nothing changed, and reads only what it has to', async () => {
    place.write({ 'resumed/a': 'a', 'resumed/b': 'b', 'resumed/c/d': 'd' });
    const id = await stopped('resumed', { a: 'a', 'c/d': 'd' });
    const pushed = await place.json('push', 'resumed', '--idempotency-key', 'resumed');
    assert.deepEqual([pushed.package_id, pushed.file_count, pushed.uploaded_bytes], [id, 3, 1]);
  });

  test('a file that was deleted, one that changed and one that became executable since: all are named, nothing is sent, nothing is sealed', async () => {
    const id = await stopped('other', { gone: 'x', bytes: 'xx', bit: 'x', same: 'x' });
    place.write({ 'other/bytes': 'xy', 'other/bit': 'x', 'other/same': 'x', 'other/new': 'new' });
    chmodSync(place.path('other/bit'), 0o755);
    const { code, detail, hint, info } = await conflict('other', 'other');
    assert.equal(code, 'idempotency_conflict');
    assert.deepEqual([info.added, info.removed, info.changed], [[], ['gone'], ['bit', 'bytes']]);
    assert.match(detail, /1 removed, 2 changed\.\n {2}removed {2}gone\n {2}changed {2}bit \(its executable bit\)\n {2}changed {2}bytes$/);
    assert.match(hint, /^use a new --idempotency-key/);
    assert.equal(await statusOf(id), 'created');
    assert.equal((await registry.files.list(id)).items.length, 4);
  });

  test('of many that differ ten are named, and how many more there are', async () => {
    await stopped('many', Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`f${index}`, 'x'])));
    place.write({ 'many/left': 'x' });
    const { detail, info } = await conflict('many', 'many');
    assert.equal(info.removed.length, 13);
    assert.match(detail, /13 removed\.\n( {2}removed {2}f\d+\n){10} {2}… and 3 more$/);
  });

  test('what is sealed already is the answer only to the same directory', async () => {
    place.write({ 'sealed/a': 'a', 'sealed/b': 'b' });
    const first = await place.json('push', 'sealed', '--idempotency-key', 'sealed');
    assert.equal((await place.json('push', 'sealed', '--idempotency-key', 'sealed')).manifest_digest, first.manifest_digest);
    chmodSync(place.path('sealed/a'), 0o755);
    assert.deepEqual((await conflict('sealed', 'sealed')).info.changed, ['a']);
    chmodSync(place.path('sealed/a'), 0o644);
    rmSync(place.path('sealed/b'));
    assert.deepEqual((await conflict('sealed', 'sealed')).info.removed, ['b']);
    place.write({ 'sealed/b': 'b', 'sealed/c': 'c' });
    assert.deepEqual((await conflict('sealed', 'sealed')).info.added, ['c']);
  });

  test('a key whose package was abandoned is not one to try again with', async () => {
    place.write({ 'left/a': 'a' });
    await registry.packages.abandon(await stopped('left', { a: 'a' }));
    const { code, hint } = await conflict('left', 'left');
    assert.equal(code, 'package_not_open');
    assert.match(hint, /^use a new --idempotency-key/);
  });

  test('two pushes of different directories under one key at once are never both done', async () => {
    for (let round = 0; round < 3; round += 1) {
      const key = `both-${round}`;
      place.write({ 'left-hand/same': 'x', 'left-hand/a': 'a', 'right-hand/same': 'x', 'right-hand/b': 'b' });
      const push = (directory: string) => place.run('push', directory, '--name', key, '--idempotency-key', key, '--json');
      const both = await Promise.all(['left-hand', 'right-hand'].map(push));
      assert.ok(
        both.every(({ code }) => code === 0 || code === 4),
        both.map(({ stderr }) => stderr).join('\n'),
      );
      assert.ok(both.filter(({ code }) => code === 0).length < 2);
      const equal = await Promise.all(
        ['left-hand', 'left-hand'].map((directory) =>
          place.run('push', directory, '--name', `${key}-equal`, '--idempotency-key', `${key}-equal`),
        ),
      );
      assert.deepEqual(
        equal.map(({ code }) => code),
        [0, 0],
        equal.map(({ stderr }) => stderr).join('\n'),
      );
    }
  });

  test('a file that somebody else adds at the last moment is not sealed, and is named', async () => {
    place.write({ 'late/a': 'a' });
    const { record, created } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    const finalize: RemoteRegistry['packages']['finalize'] = async (id, expected) => {
      await registry.files.add(id, { relative_path: 'late', body: bytesBody(Buffer.from('late')) });
      return await registry.packages.finalize(id, expected);
    };
    const filling = fillPackage({
      registry: { ...registry, packages: { ...registry.packages, finalize } },
      record,
      created,
      tree: walkTree(place.path('late')),
      hashing: createHashing({}),
      keyed: false,
      jobs: 2,
      signal: new AbortController().signal,
      names: libraryNames,
      onDone: () => undefined,
    });
    await assert.rejects(filling, (error) => isArtifactstoreError(error, 'precondition_failed') && /removed {2}late$/.test(error.message));
    assert.equal(await statusOf(record.id), 'created');
  });
});

describe('a push of a directory that was pushed before', () => {
  let served: ServedWorkplace;
  let place: Workplace;
  before(async () => {
    served = await openServedWorkplace();
    ({ place } = served);
    place.write({ 'again/a': 'a', 'again/b': 'b' });
    // Files that are younger are read again.
    await sleep(2_700);
  });
  after(() => served[Symbol.asyncDispose]());

  test('says what it did not read, keeps that in the home of its user, and reads it with --checksum', async () => {
    const pushed = async (...more: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await place.run('push', 'again', ...more);
      assert.deepEqual([code, stderr], [0, '']);
      return stdout;
    };
    assert.doesNotMatch(await pushed(), /not read again/);
    assert.match(await pushed(), /^ {2}2 files not read again: unchanged since an earlier push$/m);
    assert.doesNotMatch(await pushed('--checksum'), /not read again/);
    const folder = place.path('.cache', 'artifactstore', 'digests');
    const [index = ''] = readdirSync(folder);
    const { savedAt, records } = decodeIndex(readFileSync(join(folder, index)))!;
    const lies = new Map([...records].map(([path, record]) => [path, Uint8Array.from(record, (byte, at) => (at < stateBytes ? byte : 1))]));
    writeFileSync(join(folder, index), encodeIndex({ savedAt, records: lies }));
    const { code, stderr } = await place.run('push', 'again', '--checksum', '--quiet');
    assert.equal(code, 0);
    const wrong = (path: string): string =>
      `warning: "${path}" has other bytes than an earlier push read, though its size, times and inode are the same\n`;
    assert.equal(stderr.split('\n').sort().join('\n'), `\n${wrong('a')}${wrong('b')}`.trimEnd());
  });
});
