import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import type { NewFile } from '../../../../src/registry/REGISTRY.ts';
import { localRoot } from '../../../registry/open-registry.ts';
import { assertProblem, type Door, openDoor } from '../open-door.ts';

const files: readonly (readonly [path: string, bytes: Buffer, annotations?: Record<string, string>])[] = [
  ['a', Buffer.from('one')],
  ['bin/run', Buffer.from('#!/bin/sh\n'), { mode: 'executable' }],
  ['block', Buffer.alloc(512, 1)],
  ['empty', Buffer.alloc(0)],
  ['large', randomBytes(3_000_001)],
  ['long/'.repeat(100) + 'x'.repeat(200), Buffer.from('deep')],
  ['manifest.json', Buffer.from('{"mine":true}')],
  ['ü/😀.txt', Buffer.from('named')],
];

async function sealed(door: Door): Promise<string> {
  const { id } = await door.newPackage();
  for (const [relative_path, bytes, annotations] of files) {
    const body = Readable.from([bytes]) as NewFile['body'];
    await door.registry.files.add(id, { relative_path, body, ...(annotations === undefined ? {} : { annotations }) });
  }
  await door.registry.packages.finalize(id);
  return id;
}

test('a sealed package comes as a tar archive, manifest first, and the same each time', async () => {
  await using door = await openDoor();
  const id = await sealed(door);
  const response = await door.call(`/packages/${id}/archive`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/x-tar');
  assert.equal(response.headers.get('content-disposition'), `attachment; filename="${id}.tar"`);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(bytes.length % 512, 0);

  const entries: { name: string; mode: number; mtime: string; bytes: Buffer }[] = [];
  const reader = extract();
  reader.end(bytes);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, mode, mtime } = entry.header;
    entries.push({ name, mode, mtime: mtime.toISOString(), bytes: Buffer.concat(chunks) });
  }
  const [manifest, ...rest] = entries;
  assert.equal(manifest!.name, 'manifest.json');
  assert.equal(manifest!.bytes.toString(), await (await door.call(`/packages/${id}/manifest.json`)).text());
  assert.deepEqual(
    rest.map((entry) => [entry.name, entry.bytes]),
    files.map(([path, content]) => [path, content]),
  );
  assert.deepEqual(
    rest.filter(({ mode }) => mode === 0o755).map(({ name }) => name),
    ['bin/run'],
  );
  const { finalized_at } = (await door.registry.packages.get(id))!;
  for (const { mtime } of entries) assert.equal(mtime, `${finalized_at!.slice(0, 19)}.000Z`);

  assert.deepEqual(Buffer.from(await (await door.call(`/packages/${id}/archive`)).arrayBuffer()), bytes);
  const head = await door.call(`/packages/${id}/archive`, { method: 'HEAD' });
  assert.deepEqual(
    ['content-type', 'content-length', 'accept-ranges'].map((name) => head.headers.get(name)),
    ['application/x-tar', String(bytes.length), 'bytes'],
  );
  assert.equal(response.headers.get('content-length'), String(bytes.length));
  const etag = head.headers.get('etag')!;
  assert.equal(etag, `"tar-1:${(await door.registry.packages.get(id))!.manifest_digest}"`);
  const get = (headers: Record<string, string>) => door.call(`/packages/${id}/archive`, { headers });
  assert.equal((await get({ 'if-none-match': etag })).status, 304);
  await assertProblem(await get({ 'if-match': '"other"' }), 412, 'precondition_failed');

  const size = bytes.length;
  const points = [0, 1, 511, 512, 700, 5000, 40_000, 1_048_576, 2_500_000, size - 1025, size - 1];
  for (const first of points)
    for (const last of points.filter((point) => point >= first && (point - first < 50_000 || first === 700))) {
      const part = await get({ range: `bytes=${first}-${last}`, 'if-range': etag });
      assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes ${first}-${last}/${size}`]);
      assert.ok(bytes.subarray(first, last + 1).equals(Buffer.from(await part.arrayBuffer())), `${first}-${last}`);
    }
  assert.equal((await (await get({ range: 'bytes=-1500' })).arrayBuffer()).byteLength, 1500);
  assert.equal((await (await get({ range: 'bytes=0-9', 'if-range': '"other"' })).arrayBuffer()).byteLength, size);
  const beyond = await get({ range: `bytes=${size}-` });
  assert.equal(beyond.headers.get('content-range'), `bytes */${size}`);
  await assertProblem(beyond, 416, 'range_not_satisfiable');
});

test('an archive that is sent gives the same files again', async () => {
  await using door = await openDoor();
  const id = await sealed(door);
  const bytes = Buffer.from(await (await door.call(`/packages/${id}/archive`)).arrayBuffer());
  const { id: other } = await door.newPackage();
  const sent = await door.call(`/packages/${other}/files`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar' },
    body: bytes,
  });
  assert.equal(sent.status, 201, await sent.clone().text());
  await door.registry.packages.finalize(other);
  const described = async (package_id: string) =>
    (await door.registry.files.list(package_id)).items.map(({ relative_path, media_type, content_address, annotations }) => [
      relative_path,
      media_type,
      content_address,
      annotations,
    ]);
  assert.deepEqual(await described(other), await described(id));
});

test('only sealed packages have one', async () => {
  await using door = await openDoor();
  const { id } = await door.newPackage();
  await assertProblem(await door.call(`/packages/${id}/archive`), 409, 'package_not_finalized');
  await assertProblem(await door.call('/packages/01890000-0000-7000-8000-000000000000/archive'), 404, 'package_not_found');
});

test('damaged bytes break it off', async () => {
  await using door = await openDoor();
  const id = await sealed(door);
  const file = (await door.registry.files.find(id, 'large'))!;
  const path = join(localRoot(door.store.config), file.locations[0]!.object_key);
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
  const response = await door.call(`/packages/${id}/archive`);
  assert.equal(response.status, 200);
  await assert.rejects(response.arrayBuffer());
});

test('a reader that leaves in the middle leaves nothing behind', async () => {
  await using door = await openDoor();
  const id = await sealed(door);
  const response = await door.call(`/packages/${id}/archive`);
  await response.body!.cancel();
  assert.equal((await door.call('/livez')).status, 200);
});
