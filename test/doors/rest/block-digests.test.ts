import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blake3 } from '../../../src/kernel/content/digest.ts';
import { create, door, offsetOf, patch, target } from './resumable/tus/tus-door.ts';

const mebibyte = 1_048_576;
const bytes = Buffer.alloc(2 * mebibyte + 5, 'artifact');
const changed = Buffer.from(bytes);
changed[mebibyte + 3]! ^= 1;

function fieldOf(of: Uint8Array): string {
  const digests: Uint8Array[] = [];
  for (let at = 0; at < of.length; at += mebibyte) digests.push(blake3(of.subarray(at, at + mebibyte)));
  return `:${Buffer.concat(digests).toString('base64')}:`;
}

const field = { 'artifactstore-block-digests': fieldOf(bytes) };

async function refusedBlock(response: Response, status: number): Promise<void> {
  const { code, info } = (await response.json()) as { readonly code: string; readonly info: Readonly<Record<string, unknown>> };
  assert.deepEqual([response.status, code, info.block_index, info.block_offset_bytes], [status, 'block_digest_mismatch', 1, mebibyte]);
}

test('a bad block is told by tus, and what was before it counts', async () => {
  const { metadata, read } = await target();
  const path = await create({ 'upload-length': String(bytes.length), 'upload-metadata': metadata });
  await refusedBlock(await patch(path, 0, changed, field), 460);
  assert.equal(await offsetOf(path), mebibyte);
  const rest = { 'artifactstore-block-digests': fieldOf(bytes.subarray(mebibyte)) };
  assert.equal((await patch(path, mebibyte, bytes.subarray(mebibyte), rest)).status, 204);
  assert.equal(Buffer.compare(Buffer.from(await (await read()).arrayBuffer()), bytes), 0);
});

test('a bad block is told by a range, and by a PATCH of the IETF draft', async () => {
  const ranged = (await (await door.json('/uploads', {})).json()) as { readonly id: string };
  const range = { 'content-range': `bytes 0-${bytes.length - 1}/*`, ...field };
  await refusedBlock(await door.call(`/uploads/${ranged.id}`, { method: 'PUT', headers: range, body: changed }), 400);
  const { id } = await door.newPackage();
  const begun = await door.call(`/packages/${id}/files/a`, { method: 'PUT', headers: { 'upload-complete': '?0' } });
  const upload = begun.headers.get('location')!;
  const partial = { 'content-type': 'application/partial-upload', 'upload-complete': '?1' };
  const send = (offset: number, body: Uint8Array, blocks: string) =>
    door.call(upload, {
      method: 'PATCH',
      headers: { ...partial, 'upload-offset': String(offset), 'artifactstore-block-digests': blocks },
      body: Buffer.from(body),
    });
  await refusedBlock(await send(0, changed, fieldOf(bytes)), 400);
  const rest = bytes.subarray(mebibyte);
  const made = await send(mebibyte, rest, fieldOf(rest));
  assert.equal(made.status, 201, await made.text());
});

test('digests of blocks that are malformed, or would not be looked at, are refused', async () => {
  const { id } = await door.newPackage();
  const put = (headers: Readonly<Record<string, string>>) => door.call(`/packages/${id}/files/a`, { method: 'PUT', headers, body: bytes });
  for (const response of [
    await put(field),
    await put({ 'artifactstore-block-digests': 'abc', 'upload-complete': '?0' }),
    await door.call('/uploads', { method: 'POST', headers: field }),
    await door.call('/uploads', { method: 'POST', headers: { ...field, 'tus-resumable': '1.0.0', 'upload-length': '3' } }),
  ]) {
    const { code, field: named } = (await response.json()) as { readonly code: string; readonly field: string };
    assert.deepEqual([response.status, code, named], [400, 'invalid_header', 'artifactstore-block-digests']);
  }
});
