import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../../../src/registry/REGISTRY.ts';
import { openDoor } from './open-door.ts';

test('long manifests are read one at a time, and what answers are made of is counted until they end', async () => {
  let underWay = 0;
  let most = 0;
  let counted: number | undefined;
  /** Says that its packages have more files than they have, and how many of their manifests are read at once. */
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    packages: {
      ...registry.packages,
      async get(id) {
        const record = await registry.packages.get(id);
        return record === undefined ? undefined : { ...record, file_count: counted ?? record.file_count };
      },
      async manifest(id) {
        most = Math.max(most, ++underWay);
        try {
          await sleep(5);
          return await registry.packages.manifest(id);
        } finally {
          underWay -= 1;
        }
      },
    },
  });
  await using door = await openDoor({ wrap });
  const { id } = await door.newPackage();
  const bytes = Buffer.alloc(262_144, 7);
  const first = await (await door.call(`/packages/${id}/files/0`, { method: 'PUT', body: bytes })).json();
  const { content_address, size_bytes } = first as { content_address: string; size_bytes: number };
  const items = Array.from({ length: 200 }, (_, index) => ({ relative_path: `more/${index}`, content_address, size_bytes }));
  assert.equal((await door.json(`/packages/${id}/files`, { items })).status, 200);
  await door.registry.packages.finalize(id);

  const json = await (await door.call(`/packages/${id}/manifest.json`)).text();
  const cbor = await (await door.call(`/packages/${id}/manifest`)).arrayBuffer();
  assert.equal(JSON.parse(json).files.length, 201);
  assert.deepEqual(Buffer.from(cbor), Buffer.from((await door.registry.packages.manifest(id)).bytes));
  const ranges = await Promise.all(
    Array.from({ length: 6 }, async () => (await door.call(`/packages/${id}/archive`, { headers: { range: 'bytes=512-600' } })).text()),
  );
  for (const text of ranges) assert.equal(text, json.slice(0, 89));
  assert.equal(most, 1, 'read at once');

  // One that takes all of its caller's half, and of which nothing is read.
  counted = 10_000_000;
  const unread = new AbortController();
  const held = await door.call(`/packages/${id}/archive`, { signal: unread.signal });
  assert.equal(held.status, 200);
  let answered = false;
  const next = door.call(`/packages/${id}/manifest`).then(async (response) => {
    answered = true;
    return Buffer.from(await response.arrayBuffer());
  });
  await sleep(200);
  assert.equal(answered, false, 'answered while another answer has the memory');
  unread.abort();
  assert.deepEqual(await next, Buffer.from(cbor));
});
