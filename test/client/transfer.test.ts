import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RemoteRegistry } from '../../src/client/connect.ts';
import { placeFiles } from '../../src/client/pull/place-files.ts';
import { pullPackage } from '../../src/client/pull/pull-package.ts';
import { pushDirectory } from '../../src/client/push/push-directory.ts';
import { sealedManifest } from '../../src/client/sealed-manifest.ts';
import { verifyPackage } from '../../src/client/verify/verify-package.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { type OpenServer, openServer } from './open-server.ts';

const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };

describe('push, pull and verify as functions', () => {
  let server: OpenServer;
  let registry: RemoteRegistry;
  let source: string;
  let id: string;
  const at = (...parts: readonly string[]): string => join(server.directory, 'transfer', ...parts);
  before(async () => {
    server = await openServer();
    registry = server.connect();
    source = at('source');
    for (const [path, text] of Object.entries({ a: 'a', 'b/c': 'cc', 'b/d': 'ddd' })) {
      mkdirSync(dirname(join(source, path)), { recursive: true });
      writeFileSync(join(source, path), text);
    }
    mkdirSync(join(source, 'empty'));
  });
  after(() => server.close());

  test('a push tells how much there is, what is done and what it leaves out', async () => {
    const said: string[] = [];
    let [total, done] = [0, 0];
    const pushed = await pushDirectory(registry, source, input, {
      onTotal: (bytes) => {
        total += bytes;
      },
      onDone: (bytes) => {
        done += bytes;
      },
      onLeftOut: (text) => said.push(text),
    });
    id = pushed.package_id;
    assert.deepEqual([total, done, pushed.file_count, pushed.total_bytes, pushed.uploaded_bytes], [6, 6, 3, 6, 6]);
    assert.deepEqual(said, ['the empty directory "empty/" is left out']);
  });

  test('a push that is stopped says what is left: nothing without a key, and with one the package to resume', async () => {
    for (const [idempotencyKey, left, status] of [
      [undefined, 'abandoned', 'abandoned'],
      ['stopped', 'open', 'created'],
    ] as const) {
      const stop = new AbortController();
      const pushing = pushDirectory(registry, source, input, {
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        signal: stop.signal,
        onTotal: () => stop.abort(new Error('enough')),
      });
      await assert.rejects(pushing, (error) => {
        return isArtifactstoreError(error, 'cancelled') && error.info?.package_left === left && /enough/.test(String(error.cause));
      });
      const { items } = await registry.packages.list({ limit: 1 });
      assert.equal(items[0]?.status, status);
    }
    const resumed = await pushDirectory(registry, source, input, { idempotencyKey: 'stopped' });
    assert.equal(resumed.file_count, 3);
  });

  test('a pull names its options as the library does, and says what the directory holds when it fails', async () => {
    const pulled = await pullPackage(registry, id, at('copy'), { manifest: false });
    assert.deepEqual([pulled.written_files, pulled.written_bytes, pulled.manifest_file], [3, 6, null]);
    await assert.rejects(pullPackage(registry, id, at('copy')), (error) => {
      return isArtifactstoreError(error, 'path_conflict') && error.field === 'directory' && /or `force`/.test(String(error.info?.hint));
    });
    assert.equal((await pullPackage(registry, id, at('copy'), { force: true })).written_files, 0);
    assert.deepEqual(readdirSync(at()).sort(), ['copy', 'copy.manifest.cbor', 'source']);
    const failing = {
      ...registry,
      downloadMany: async () => undefined,
      download: () => registry.download({ id, size_bytes: 1, content_address: `sha256:${'0'.repeat(64)}` }),
    };
    await assert.rejects(pullPackage(failing, id, at('failed'), { jobs: 1 }), (error) => {
      return isArtifactstoreError(error) && error.info?.right_files === 0 && error.info.file_count === 3;
    });
  });

  test('some files of a manifest are placed below a directory that has others', async () => {
    const { files } = (await sealedManifest(registry, id)).manifest;
    mkdirSync(at('some'));
    writeFileSync(at('some', 'mine'), 'mine');
    const placed = await placeFiles(registry, at('some'), files.slice(1, 2));
    assert.deepEqual(placed, { total_bytes: 2, written_files: 1, written_bytes: 2 });
    assert.deepEqual(readdirSync(at('some')).sort(), ['b', 'mine']);
    assert.equal(readFileSync(at('some', 'b', 'c'), 'utf8'), 'cc');
  });

  test('a verification finds, and needs a registry or a manifest with a directory', async () => {
    writeFileSync(at('copy', 'a'), 'A');
    const found = await verifyPackage(registry, id, { directory: at('copy') });
    assert.deepEqual(
      found.findings.map(({ relative_path, problem }) => [relative_path, problem]),
      [['a', 'damaged']],
    );
    assert.equal(found.interruption, undefined);
    const saved = await verifyPackage(undefined, id, { directory: at('copy'), manifest: at('copy.manifest.cbor') });
    assert.deepEqual([saved.findings.length, saved.known.source], [1, 'given']);
    await assert.rejects(verifyPackage(undefined, id), (error) => isArtifactstoreError(error, 'invalid_value'));
  });
});
