import assert from 'node:assert/strict';
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import type { Attachment, Created, File, NewPackage, Package, Registry } from '../REGISTRY.ts';

/** The registry under test, once it is open. */
export type Opened = () => Registry;

/** Short ways to make what a test needs. */
export interface Samples {
  registry(): Registry;
  create(extra?: Partial<NewPackage>): Promise<Package>;
  add(packageId: string, path: string, content: string | Uint8Array, mediaType?: string): Promise<Created<File>>;
}

export function samples(opened: Opened): Samples {
  return {
    registry: opened,
    create: async (extra = {}) => (await opened().packages.create({ ...sample(), ...extra })).record,
    add: (id, path, content, mediaType) =>
      opened().files.add(id, {
        relative_path: path,
        body: chunks(content),
        ...(mediaType === undefined ? {} : { media_type: mediaType }),
      }),
  };
}

let counter = 0;

export function unique(word: string): string {
  counter += 1;
  return `${word} ${process.pid}-${counter}-${randomUUID().slice(0, 8)}`;
}

export function sample(): NewPackage {
  return { name: 'nightly', producer: unique('producer'), subject: 'conformance', retention_class: 'transient' };
}

/** A text of `length` characters of four bytes each, which no index can make shorter. */
export function longest(length: number): string {
  return Array.from({ length }, () => String.fromCodePoint(randomInt(0x2_0000, 0x2_a000))).join('');
}

/** The same for a key: printable ASCII. */
export function longestKey(): string {
  return Array.from({ length: 255 }, () => String.fromCodePoint(randomInt(0x21, 0x7f))).join('');
}

export function attachment(text: string): Attachment {
  return { relative_path: 'late', content_address: `sha256:${createHash('sha256').update(text).digest('hex')}`, size_bytes: text.length };
}

/** Bytes in which every stretch differs, in chunks that fit nothing. */
export function patterned(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index + 4 <= size; index += 4) bytes.writeUInt32LE(Math.imul(index + size, 2_654_435_761) >>> 0, index);
  return bytes;
}

export async function* chunks(content: string | Uint8Array): AsyncIterable<Uint8Array> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let start = 0; start < bytes.length; start += 65_521) yield bytes.subarray(start, start + 65_521);
}

export async function* breaking(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* chunks(bytes);
  throw new Error('the connection broke');
}

/** A body that comes, and then does not end. */
export function waiting(content: string | Uint8Array): {
  readonly body: AsyncIterable<Uint8Array>;
  readonly reached: Promise<void>;
  end(): void;
} {
  const reached = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunks(content);
    reached.resolve();
    await ended.promise;
  }
  return { body: body(), reached: reached.promise, end: () => ended.resolve() };
}

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** The file is these bytes, and so are those that are read of it. */
export async function holdsBytes({ files }: Pick<Registry, 'files'>, file: File, bytes: Uint8Array): Promise<void> {
  assert.equal(file.size_bytes, bytes.length);
  assert.equal(file.digest_sha256, createHash('sha256').update(bytes).digest('hex'));
  const read = await files.open({ file_id: file.id });
  assert.equal(Buffer.compare(await collect(read!.body), bytes), 0);
}

export async function refuses(codes: ErrorCode | readonly ErrorCode[], promise: Promise<unknown>): Promise<void> {
  const allowed = typeof codes === 'string' ? [codes] : codes;
  await assert.rejects(promise, (error) => {
    assert.ok(isArtifactstoreError(error), `expected ${allowed.join(' or ')}, got ${String(error)}`);
    assert.ok(allowed.includes(error.code), `expected ${allowed.join(' or ')}, got ${error.code}: ${error.message}`);
    return true;
  });
}
