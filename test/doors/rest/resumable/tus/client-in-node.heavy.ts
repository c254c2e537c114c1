import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { DetailedError, Upload as TusUpload, UploadOptions } from 'tus-js-client';
import { ArtifactstoreError } from '../../../../../src/kernel/error.ts';
import type { File } from '../../../../../src/registry/REGISTRY.ts';
import { cannotMount, mountSmall, unmount } from '../../../../faults/small-disk.ts';
import { assertProblem, authorization, type Door, openDoor } from '../../open-door.ts';
import { send, sha256Of } from './client.ts';
import { bytesType, create, door, offsetOf, patch } from './tus-door.ts';

const bytes = Buffer.alloc(2_500_000, 'artifacts ');

async function target(at: Door, path: string) {
  const { id } = await at.newPackage();
  const options: Partial<UploadOptions> = {
    endpoint: `${at.url}/uploads`,
    headers: { authorization },
    metadata: { package_id: id, relative_path: path, media_type: 'text/plain' },
  };
  return { options, found: async () => (await at.registry.files.find(id, path)) as File };
}

for (const [name, more, body] of [
  ['in one request', {}, () => bytes],
  ['in chunks', { chunkSize: 700_000 }, () => bytes],
  ['with the creation', { uploadDataDuringCreation: true, chunkSize: 700_000 }, () => bytes],
  ['by POST', { overridePatchMethod: true, chunkSize: 700_000 }, () => bytes],
  ['of a length that follows', { uploadLengthDeferred: true, chunkSize: 700_000 }, () => Readable.from([bytes])],
  ['in parallel', { parallelUploads: 3, chunkSize: 300_000 }, () => bytes],
] as const)
  test(`tus-js-client sends a file ${name}`, async () => {
    const { options, found } = await target(door, name);
    await send(body(), { ...options, ...more });
    assert.equal((await found()).digest_sha256, sha256Of(bytes));
  });

test('tus-js-client resumes where it was stopped', async () => {
  const { options, found } = await target(door, 'resumed');
  let first: TusUpload | undefined;
  const stopped = Promise.withResolvers<void>();
  void send(
    bytes,
    {
      ...options,
      chunkSize: 500_000,
      onChunkComplete: () => {
        void first!.abort().then(stopped.resolve);
      },
    },
    (upload) => {
      first = upload;
    },
  );
  await stopped.promise;
  const before = await offsetOf(new URL(first!.url!).pathname);
  assert.ok(before >= 500_000 && before < bytes.length);
  const sent: number[] = [];
  await send(bytes, { ...options, uploadUrl: first!.url, onChunkComplete: (size) => void sent.push(size) });
  assert.equal(Math.max(...sent), bytes.length - before);
  assert.equal((await found()).digest_sha256, sha256Of(bytes));
});

test('a second writer is 423 until the first has ended, and what a writer that is lost sent counts', async () => {
  const { options, found } = await target(door, 'locked');
  const path = await create({
    'upload-length': '10',
    'upload-metadata': Object.entries(options.metadata!)
      .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
      .join(','),
  });
  const hanging = await door.connect();
  hanging.write(
    `PATCH ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n` +
      `content-type: ${bytesType}\r\ncontent-length: 10\r\n\r\nhello`,
  );
  // Until the server has read it, the second is the first.
  await setTimeout(500);
  await assertProblem(await patch(path, 0, 'x'), 423, 'upload_locked');
  hanging.destroy();
  let offset = 0;
  for (let tries = 0; offset === 0 && tries < 2_000; tries += 1) {
    await setTimeout(25);
    offset = await offsetOf(path);
  }
  assert.equal(offset, 5);
  assert.equal((await patch(path, 5, 'world')).status, 204);
  assert.equal((await found()).digest_sha256, sha256Of(Buffer.from('helloworld')));
});

test('a disk that fills is 507, and the same upload continues once there is room', { skip: cannotMount() }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  mountSmall(directory, '12m');
  try {
    await using small = await openDoor({ environment: { ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(directory, 'store') } });
    const { options, found } = await target(small, 'large');
    const filler = join(directory, 'filler');
    await writeFile(filler, Buffer.alloc(9_000_000));
    const large = Buffer.alloc(5_000_000, 'much ');
    let address = '';
    const statuses: number[] = [];
    const refused = await send(large, {
      ...options,
      retryDelays: null,
      onAfterResponse(_request, response) {
        statuses.push(response.getStatus());
        address = response.getHeader('location') ?? address;
      },
    }).then(
      () => undefined,
      (error: DetailedError) => error,
    );
    assert.ok(refused !== undefined);
    assert.deepEqual(statuses, [201, 507]);
    await rm(filler);
    await send(large, { ...options, uploadUrl: new URL(address, small.url).href });
    assert.equal((await found()).digest_sha256, sha256Of(large));
  } finally {
    unmount(directory);
    await rm(directory, { recursive: true, force: true });
  }
});

test('a path that is taken is told once, and not asked for again', async () => {
  const { options } = await target(door, 'taken');
  await send(bytes, options);
  const requests: string[] = [];
  const refused = await send(Buffer.from('other'), {
    ...options,
    onAfterResponse: (request, response) => void requests.push(`${request.getMethod()} ${response.getStatus()}`),
  }).catch((error: DetailedError) => error);
  assert.ok(typeof refused !== 'string');
  assert.deepEqual(requests, ['POST 201', 'PATCH 422']);
});

test('while the database is unavailable a HEAD is 423, so that no client begins again', async () => {
  await using failing = await openDoor({
    wrap: (registry) => ({
      ...registry,
      uploads: {
        ...registry.uploads!,
        status: () => Promise.reject(new ArtifactstoreError('database_unavailable', 'The database cannot be reached.')),
      },
    }),
  });
  const response = await fetch(`${failing.url}/uploads/019b0000-0000-7000-8000-000000000000`, {
    method: 'HEAD',
    headers: { authorization, 'tus-resumable': '1.0.0' },
  });
  assert.equal(response.status, 423);
});
