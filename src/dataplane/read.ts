import { splitAddress } from '../kernel/content/address.ts';
import { type Algorithm, algorithms, blake3, createHasher, digestHex, fromHex, type Hasher, sameBytes } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { stoppable, throwIfStopped } from '../runtime/stop.ts';
import type { ByteRange, ObjectReader, Storage } from '../storage/STORAGE.ts';
import { blockBytes, type StoredObject, type VerifiedBody } from './DATAPLANE.ts';
import { blocksOf } from './hashing/blocks.ts';
import { createDigester } from './hashing/digester.ts';

/** See `DataPlane.open`. Chunks are valid until the next one is asked for. */
export async function openVerified(
  backend: Pick<Storage, 'get'>,
  object: StoredObject,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<VerifiedBody> {
  throwIfStopped(signal);
  const { sizeBytes } = object;
  if (range !== undefined && !(range.first >= 0 && range.first <= range.last && range.last < sizeBytes)) {
    throw new ArtifactstoreError('internal', `The range ${range.first}-${range.last} is not inside the ${sizeBytes} bytes`);
  }
  if (sizeBytes <= blockBytes) return await readSmall(backend, object, range, signal);
  if (range === undefined || (range.first === 0 && range.last === sizeBytes - 1)) return readWhole(backend, object, signal);
  const blockDigests =
    object.blockDigests?.byteLength === digestBytes * Math.ceil(sizeBytes / blockBytes)
      ? object.blockDigests
      : await digestBlocks(backend, object, signal);
  return readRange(backend, { ...object, blockDigests }, range, signal);
}

/** The reader of an object that must be there; its size must be the recorded one. */
async function requireReader(
  backend: Pick<Storage, 'get'>,
  object: StoredObject,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<ObjectReader> {
  const options = { ...(range === undefined ? {} : { range }), ...(signal === undefined ? {} : { signal }) };
  const reader = await backend.get(object.objectKey, options);
  if (reader === undefined) {
    throw new ArtifactstoreError('object_not_found', `The bytes of ${object.contentAddress} are not in the store`, {
      info: { backend_id: object.backendId, object_key: object.objectKey },
    });
  }
  if (reader.sizeBytes !== object.sizeBytes) {
    await release(reader);
    throw damaged(object, `it is ${reader.sizeBytes} bytes long, not ${object.sizeBytes}`);
  }
  return reader.bytes === undefined ? { sizeBytes: reader.sizeBytes, body: stoppable(reader.body, signal) } : reader;
}

async function release(reader: ObjectReader): Promise<void> {
  await reader.body[Symbol.asyncIterator]().return?.();
}

async function readSmall(
  backend: Pick<Storage, 'get'>,
  object: StoredObject,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<VerifiedBody> {
  const reader = await requireReader(backend, object, undefined, signal);
  const bytes = reader.bytes ?? (await gathered(reader, object));
  const { algorithm, hex } = splitAddress(object.contentAddress);
  requireAlgorithm(object, algorithm);
  if (digestHex(algorithm, bytes) !== hex) throw damaged(object, 'it does not match its digest');
  return wholeBody(range === undefined ? bytes : bytes.subarray(range.first, range.last + 1));
}

async function gathered({ body }: ObjectReader, object: StoredObject): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(object.sizeBytes);
  let size = 0;
  for await (const chunk of body) {
    if (size + chunk.byteLength > bytes.byteLength) throw damaged(object, 'it is longer than recorded');
    bytes.set(chunk, size);
    size += chunk.byteLength;
  }
  return bytes.subarray(0, size);
}

/**
 * Checked by the primary digest alone: as the name of the bytes it is proof enough, and BLAKE3 is three times as fast
 * as SHA-256. `check` reads both.
 */
async function readWhole(
  backend: Pick<Storage, 'get'>,
  object: StoredObject,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const reader = await requireReader(backend, object, undefined, signal);
  return started(checkedWhole(reader, object));
}

async function* checkedWhole(reader: ObjectReader, object: StoredObject): AsyncGenerator<Uint8Array> {
  const hasher = primaryHasher(object);
  let size = 0;
  for await (const chunk of reader.body) {
    if (chunk.byteLength === 0) continue;
    size += chunk.byteLength;
    if (size > object.sizeBytes) throw damaged(object, 'it is longer than recorded');
    hasher.update(chunk);
    if (size === object.sizeBytes) requireDigest(object, hasher);
    yield chunk;
  }
  if (size < object.sizeBytes) throw damaged(object, 'it is shorter than recorded');
}

async function readRange(
  backend: Pick<Storage, 'get'>,
  object: StoredObject & { readonly blockDigests: Uint8Array },
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const firstBlock = Math.floor(range.first / blockBytes);
  const endBlock = Math.floor(range.last / blockBytes) + 1;
  const touched = { first: firstBlock * blockBytes, last: Math.min(endBlock * blockBytes, object.sizeBytes) - 1 };
  const reader = await requireReader(backend, object, touched, signal);
  return started(checkedBlocks(reader, object, range, firstBlock));
}

async function* checkedBlocks(
  reader: ObjectReader,
  object: StoredObject & { readonly blockDigests: Uint8Array },
  range: ByteRange,
  firstBlock: number,
): AsyncGenerator<Uint8Array> {
  let block = firstBlock;
  let position = firstBlock * blockBytes;
  for await (const bytes of blocksOf(reader.body, blockBytes)) {
    const expected = object.blockDigests.subarray(block * digestBytes, (block + 1) * digestBytes);
    if (!sameBytes(blake3(bytes), expected)) throw damaged(object, `block ${block} does not match its digest`);
    const from = Math.max(range.first - position, 0);
    const to = Math.min(range.last + 1 - position, bytes.byteLength);
    block += 1;
    position += bytes.byteLength;
    yield bytes.subarray(from, to);
  }
  if (position <= range.last) throw damaged(object, 'it is shorter than recorded');
}

/**
 * Reads the whole object; when it is good, the digests of its blocks, by which a range can be checked even if the
 * object changes now.
 */
async function digestBlocks(backend: Pick<Storage, 'get'>, object: StoredObject, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const reader = await requireReader(backend, object, undefined, signal);
  const { algorithm, digest } = primaryDigest(object);
  const digester = createDigester([algorithm]);
  for await (const bytes of blocksOf(reader.body, blockBytes)) digester.update(bytes);
  const { digests, blockDigests } = digester.finish();
  if (!sameBytes(digests.get(algorithm)!, digest) || blockDigests === undefined) throw damaged(object, 'it does not match its digest');
  return blockDigests;
}

function primaryDigest(object: StoredObject): { readonly algorithm: Algorithm; readonly digest: Uint8Array } {
  const { algorithm, hex } = splitAddress(object.contentAddress);
  requireAlgorithm(object, algorithm);
  return { algorithm, digest: fromHex(hex)! };
}

function requireAlgorithm({ contentAddress }: StoredObject, algorithm: string): asserts algorithm is Algorithm {
  if (!Object.hasOwn(algorithms, algorithm))
    throw new ArtifactstoreError('internal', `The digest of ${contentAddress} cannot be checked here`);
}

function primaryHasher(object: StoredObject): Hasher {
  return createHasher(primaryDigest(object).algorithm);
}

function requireDigest(object: StoredObject, hasher: Hasher): void {
  if (!sameBytes(hasher.digest(), primaryDigest(object).digest)) throw damaged(object, 'it does not match its digest');
}

function damaged(object: StoredObject, how: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The stored object ${object.contentAddress} is damaged: ${how}`, {
    info: { backend_id: object.backendId, object_key: object.objectKey },
  });
}

function wholeBody(bytes: Uint8Array): VerifiedBody {
  return { bytes, [Symbol.asyncIterator]: () => oneChunk(bytes) };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

/**
 * Brings the first chunk in, so that its faults are thrown here, and the generator has begun: one that never ran has no
 * `finally`.
 */
async function started(chunks: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  let first: IteratorResult<Uint8Array> | undefined = await chunks.next();
  const iterator: AsyncIterator<Uint8Array> = {
    next() {
      const result = first;
      first = undefined;
      return result === undefined ? chunks.next() : Promise.resolve(result);
    },
    return: () => chunks.return(undefined),
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

const digestBytes = 32;
