import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import type { ByteRange, DraftDirectory, ListedObject, Storage } from '../STORAGE.ts';

/** Adds one case: it gets a backend of its own. */
export type Check = (title: string, body: (storage: Storage, context: TestContext) => Promise<void>) => void;

export async function assertFails(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isArtifactstoreError(error, code), `wanted ${code}, got ${String(error)}`);
    return true;
  });
}

/**
 * Reads the object, and lets `meanwhile` happen after its first chunk: the rest is still the old bytes, or the read
 * throws.
 */
export async function assertReadIsWhole(storage: Storage, key: string, bytes: Buffer, meanwhile: () => Promise<void>): Promise<void> {
  const reader = await storage.get(key);
  assert.equal(reader?.sizeBytes, bytes.byteLength);
  const parts: Buffer[] = [];
  for await (const chunk of reader!.body) {
    parts.push(Buffer.from(chunk));
    if (parts.length === 1) await meanwhile();
  }
  assert.ok(Buffer.concat(parts).equals(bytes));
}

export async function makeDraft(drafts: DraftDirectory, bytes: Uint8Array): Promise<string> {
  await drafts.prepare();
  const path = join(drafts.directory, randomUUID());
  await using handle = await open(path, 'wx');
  await handle.writeFile(bytes);
  await handle.sync();
  return path;
}

export async function bytesAt(storage: Storage, key: string, range?: ByteRange): Promise<Buffer | undefined> {
  const reader = await storage.get(key, range === undefined ? {} : { range });
  if (reader === undefined) return undefined;
  const bytes = await gather(reader.body);
  if (reader.bytes !== undefined) assert.ok(bytes.equals(reader.bytes), 'what is in memory as a whole is not what is iterated');
  return bytes;
}

export async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

export async function listed(storage: Storage, prefix: string): Promise<readonly ListedObject[]> {
  return await Array.fromAsync(storage.list(prefix));
}

export async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let first = 0; first < bytes.byteLength; first += size) yield bytes.subarray(first, first + size);
}

export async function* reusingOneBuffer(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(7001);
  for (let first = 0; first < bytes.byteLength; first += buffer.byteLength) {
    const part = bytes.subarray(first, first + buffer.byteLength);
    buffer.set(part);
    yield buffer.subarray(0, part.byteLength);
    buffer.fill(0xee);
  }
}

export async function* repeated(chunk: Uint8Array, count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield chunk;
}

export const mebibyte: number = 1_048_576;

export const oddKeys: readonly string[] = [
  'with space',
  'plus+and%20percent%',
  'question?mark&ampersand=equals',
  'hash#tag',
  'quote"\'`',
  'colon:semicolon;comma,',
  'paren()[]{}<>',
  'dollar$at@bang!star*',
  'tilde~caret^pipe|',
  '.leading-dot',
  'trailing-dot.',
  '...',
  '-dash',
  'UPPER',
  'upper',
  'ünïcödé',
  'u\u0308nicode-decomposed',
  '日本語',
  '\u{1f4e6}',
  'tab\tand\nnewline',
  'x'.repeat(200),
  'deep/er/and/deep/er/still',
];

export const illegalKeys: readonly string[] = [
  '',
  '/',
  '/absolute',
  'trailing/',
  'a//b',
  '.',
  '..',
  '../outside',
  'a/../b',
  'a/./b',
  'a/..',
  'nul\0byte',
  'back\\slash',
  'drafts',
  'drafts/x',
  'lone\ud800surrogate',
  'x'.repeat(1025),
];
