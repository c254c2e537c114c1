import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connectRegistry } from '../../src/client/connect.ts';
import { hashFile } from '../../src/client/tree/read-file.ts';
import { walkTree } from '../../src/client/tree/walk.ts';
import { uploadFiles } from '../../src/client/upload.ts';
import { reopenable } from '../../src/client/wire/body.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { type OpenServer, openServer } from './open-server.ts';

describe('a directory, by the library', () => {
  const root = mkdtempSync(join(tmpdir(), 'artifactstore-upload-'));
  const never = new AbortController().signal;
  let server: OpenServer;
  before(async () => {
    server = await openServer();
  });
  after(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  function directory(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(root, name, path, '..'), { recursive: true });
      writeFileSync(join(root, name, path), content);
    }
    return join(root, name);
  }

  test('is told when a body has another length than was said, in whatever way it goes', async () => {
    const registry = server.connect();
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 'lengths', retention_class: 'transient' });
    for (const [index, bytes] of [10, 2_000_000].entries())
      for (const size_bytes of [bytes - 1, bytes + 1]) {
        const open = async function* () {
          yield new Uint8Array(bytes);
        };
        for (const body of [open(), reopenable(open)])
          await assert.rejects(
            registry.files.add(record.id, { relative_path: `f${index}`, body, size_bytes }),
            { code: 'length_mismatch' },
            `${bytes}, said to be ${size_bytes}`,
          );
      }
    assert.deepEqual((await registry.files.list(record.id)).items, []);
  });

  test('is walked in path order, and uploaded once for each content', async () => {
    const place = directory('good', { 'b/x': 'same', 'b.txt': 'same', 'a/large': new Uint8Array(700_000).fill(7), '.hidden': '' });
    chmodSync(join(place, 'b.txt'), 0o755);
    const { files } = walkTree(place);
    assert.deepEqual(
      files.map(({ relativePath, sizeBytes, executable }) => [relativePath, sizeBytes, executable]),
      [
        ['.hidden', 0, false],
        ['a/large', 700_000, false],
        ['b.txt', 4, true],
        ['b/x', 4, false],
      ],
    );
    const registry = server.connect();
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    let done = 0;
    const onDone = (bytes: number): void => {
      done += bytes;
    };
    const options = { jobs: 2, signal: never, onDone };
    await uploadFiles(registry, record.id, files, options);
    assert.equal(done, 700_008);
    assert.equal(await uploadFiles(registry, record.id, files, options), 0);
    const { items } = await registry.files.list(record.id);
    const hashed = await Promise.all(files.map((file) => hashFile(file, never)));
    assert.deepEqual(
      items.map(({ relative_path, digest_sha256, annotations }) => [relative_path, `sha256:${digest_sha256}`, annotations]),
      hashed.map((file) => [file.relativePath, file.contentAddress, file.executable ? { mode: 'executable' } : {}]),
    );
  });

  test('has its new bytes sent once, however many files hold them; one whose bytes are not there after all is sent by itself', async () => {
    const large = new Uint8Array(300_000).fill(9);
    const files = Object.fromEntries(Array.from({ length: 1005 }, (_, index) => [`small-${index}`, 'twin']));
    const { files: found } = walkTree(directory('twins', { ...files, 'large-1': large, 'large-2': large, own: 'own' }));
    const registry = server.connect();
    const open = async () =>
      (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record.id;
    let shown = 0;
    const onDone = (bytes: number): void => {
      shown += bytes;
    };
    const options = { jobs: 4, signal: never, onDone };
    const id = await open();
    assert.equal(await uploadFiles(registry, id, found, options), 300_007);
    assert.equal(shown, 604_023);
    assert.equal((await registry.packages.get(id))?.file_count, 1008);

    const blind: typeof registry = {
      ...registry,
      files: {
        ...registry.files,
        attach: async (_id, items) => items.map(({ relative_path }) => ({ relative_path, result: 'missing' as const })),
      },
    };
    assert.equal(await uploadFiles(blind, await open(), found.slice(0, 2), options), 600_000);
    const failing: typeof registry = { ...blind, files: { ...blind.files, add: () => Promise.reject(new Error('the first one failed')) } };
    await assert.rejects(uploadFiles(failing, await open(), found.slice(0, 2), options), /^Error: the first one failed$/);
  });

  test('is refused, all reasons at once, when it holds what a package cannot', () => {
    const place = directory('bad', { ok: '' });
    symlinkSync('/etc', join(place, 'out'));
    symlinkSync('ok', join(place, 'in'));
    assert.throws(
      () => walkTree(place),
      (error) => isArtifactstoreError(error, 'invalid_path') && /"in" is a symbolic link\n {2}"out" is a symbolic link/.test(error.message),
    );
  });

  test('is given up at once when it is to be stopped, also while a server says nothing', async () => {
    const { files } = walkTree(directory('silent', { one: 'text' }));
    const asked = Promise.withResolvers<void>();
    const silent = createServer((socket) => void socket.on('error', () => undefined).once('data', () => asked.resolve()));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const registry = connectRegistry({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, token: 'none' });
    const stop = new AbortController();
    const options = { jobs: 1, signal: stop.signal, onDone: () => undefined };
    const uploading = uploadFiles(registry, '01890000-0000-7000-8000-000000000000', files, options);
    await asked.promise;
    stop.abort(new Error('stopped'));
    await assert.rejects(uploading, /^Error: stopped$/);
    await registry.close();
    silent.close();
  });

  test('a file that is not what it was is named', async () => {
    const place = directory('changing', { file: '0123456789' });
    const [file] = walkTree(place).files;
    appendFileSync(join(place, 'file'), '+');
    await assert.rejects(hashFile(file!, never), (error) => isArtifactstoreError(error, 'digest_mismatch') && error.field === 'file');
    truncateSync(join(place, 'file'), 4);
    await assert.rejects(hashFile(file!, never), (error) => isArtifactstoreError(error, 'digest_mismatch') && error.field === 'file');
    rmSync(join(place, 'file'));
    await assert.rejects(hashFile(file!, never), (error) => isArtifactstoreError(error, 'digest_mismatch'));
  });
});
