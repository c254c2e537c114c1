import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteRegistry } from '../../../src/client/connect.ts';
import { decodeIndex, encodeIndex, recordBytes, stateBytes } from '../../../src/client/digest-index/index-file.ts';
import { type PushOptions, pushDirectory } from '../../../src/client/push/push-directory.ts';
import { sealedManifest } from '../../../src/client/sealed-manifest.ts';
import { sha256, toHex } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { describeTree } from '../../cli/tree.ts';
import { type OpenServer, openServer } from '../open-server.ts';

const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
const files = { small: 'small', twin: 'small', 'a/b': 'bb', empty: '', large: 'x'.repeat(700_000) };
const paths = Object.keys(files).sort();

describe('a directory that is pushed again', () => {
  let server: OpenServer;
  let registry: RemoteRegistry;
  const at = (...parts: readonly string[]): string => join(server.directory, 'again', ...parts);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  before(async () => {
    server = await openServer();
    registry = server.connect();
    for (const tree of ['plain', 'changed', 'elsewhere', 'lie', 'resumed', 'stopped', 'unkept', 'home'])
      for (const [path, text] of Object.entries(files)) write(join(tree, path), text);
    symlinkSync(at('home'), at('linked'));
    // Nothing is remembered of files that are younger.
    await sleep(2_700);
  });
  after(() => server.close());

  async function push(tree: string, options: PushOptions = {}, to: RemoteRegistry = registry) {
    const remembered: string[] = [];
    const wrong: string[] = [];
    const pushed = await pushDirectory(to, at(tree), input, {
      cacheDirectory: at('cache'),
      onRemembered: (path) => void remembered.push(path),
      onWrongDigest: (path) => void wrong.push(path),
      ...options,
    });
    const { manifest } = await sealedManifest(to, pushed.package_id);
    for (const file of manifest.files)
      assert.equal(file.digest_sha256, toHex(sha256(readFileSync(at(tree, file.relative_path)))), file.relative_path);
    return { pushed, remembered: remembered.sort(), wrong };
  }

  test('has nothing read that did not change, and everything with `checksum`', async () => {
    const first = await push('plain');
    assert.deepEqual(first.remembered, []);
    const second = await push('plain');
    assert.deepEqual([second.remembered, second.pushed.uploaded_bytes, second.pushed.file_count], [paths, 0, paths.length]);
    const third = await push('plain', { checksum: true });
    assert.deepEqual([third.remembered, third.wrong], [[], []]);
    assert.deepEqual((await push('plain', { cacheDirectory: at('none') })).remembered, []);
  });

  test('is attached in the order of its digests, where they are remembered', async () => {
    const asked: string[][] = [];
    const attach: RemoteRegistry['files']['attach'] = (id, items, options) => {
      asked.push(items.map(({ content_address }) => content_address));
      return registry.files.attach(id, items, options);
    };
    await push('plain', {}, { ...registry, files: { ...registry.files, attach } });
    assert.equal(asked.length, 1);
    assert.deepEqual(asked[0], asked[0]!.toSorted());
    assert.equal(asked[0]!.length, paths.length);
  });

  test('has its changes sealed, also those that keep size and modification time', async () => {
    await push('changed');
    const { atime, mtime } = statSync(at('changed', 'small'));
    write('changed/small', 'SMALL');
    utimesSync(at('changed', 'small'), atime, mtime);
    write('changed/large', `${'x'.repeat(699_999)}y`);
    const { remembered, pushed } = await push('changed');
    assert.deepEqual([remembered, pushed.uploaded_bytes], [['a/b', 'empty', 'twin'], 700_005]);
    // What is younger than the margin is read each time.
    assert.deepEqual((await push('changed')).remembered, ['a/b', 'empty', 'twin']);
  });

  test('is read after all where the server does not have its bytes', async () => {
    await push('elsewhere');
    const other = await openServer();
    try {
      const { remembered, pushed, wrong } = await push('elsewhere', {}, other.connect());
      assert.deepEqual([remembered, wrong], [paths, []]);
      assert.equal(pushed.uploaded_bytes, 5 + 2 + 700_000);
    } finally {
      await other.close();
    }
  });

  /** What is kept of the directory's files, with another digest for one of them. */
  function lie(tree: string, path: string): void {
    for (const name of readdirSync(at('cache', 'digests'))) {
      const index = at('cache', 'digests', name);
      const { savedAt, records } = decodeIndex(readFileSync(index))!;
      const record = Buffer.alloc(recordBytes, records.get(path)!);
      const { ino } = statSync(at(tree, path), { bigint: true });
      if (record.readBigUInt64LE(8) !== ino) continue;
      record.fill(7, stateBytes);
      writeFileSync(index, encodeIndex({ savedAt, records: new Map([...records, [path, record]]) }), { mode: 0o600 });
    }
  }

  test('is what it is, whatever an index says that nobody has the bytes of; and that is said', async () => {
    await push('lie');
    for (const path of ['a/b', 'large'])
      for (const checksum of [false, true]) {
        lie('lie', path);
        const { remembered, wrong } = await push('lie', { checksum });
        assert.deepEqual([remembered, wrong], [checksum ? [] : paths, [path]]);
        assert.deepEqual(await push('lie').then((again) => [again.remembered, again.wrong]), [paths, []]);
      }
  });

  test('is left as it is, also where the digests would be kept in it', async () => {
    for (const [cacheDirectory, directory] of [
      [at('home', '.cache', 'artifactstore'), at('home')],
      [at('linked', 'artifactstore'), at('home')],
    ] as const) {
      const before = describeTree(directory);
      const first = await push('home', { cacheDirectory, idempotencyKey: cacheDirectory });
      const again = await push('home', { cacheDirectory, idempotencyKey: cacheDirectory });
      assert.deepEqual([describeTree(directory), again.pushed.package_id], [before, first.pushed.package_id]);
    }
  });

  test('is compared with the package of its key without being read', async () => {
    const first = await push('resumed', { idempotencyKey: 'k' });
    const again = await push('resumed', { idempotencyKey: 'k' });
    assert.deepEqual([again.pushed.package_id, again.remembered], [first.pushed.package_id, paths]);
    let done = 0;
    const manifest = () => Promise.reject(new Error('the manifest was asked for'));
    const briefly = await pushDirectory({ ...registry, packages: { ...registry.packages, manifest } }, at('resumed'), input, {
      cacheDirectory: at('cache'),
      idempotencyKey: 'k',
      onDone: (bytes) => {
        done += bytes;
      },
    });
    assert.deepEqual([briefly.package_id, briefly.file_count, done], [first.pushed.package_id, paths.length, first.pushed.total_bytes]);
    write('resumed/a/b', 'BB');
    await assert.rejects(push('resumed', { idempotencyKey: 'k' }), (error) => {
      return isArtifactstoreError(error, 'idempotency_conflict') && JSON.stringify(error.info?.changed) === '["a/b"]';
    });
  });

  test('is remembered when the push fails after it was read', async () => {
    const failing = { ...registry, packages: { ...registry.packages, finalize: () => Promise.reject(new Error('lost')) } };
    await assert.rejects(push('stopped', {}, failing), /lost/);
    assert.deepEqual((await push('stopped')).remembered, paths);
  });

  test('is pushed where nothing can be kept', async () => {
    write('file', '');
    for (let round = 0; round < 2; round += 1)
      assert.deepEqual((await push('unkept', { cacheDirectory: at('file', 'cache') })).remembered, []);
  });
});
