import { createHasher, fromHex, toHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { stoppable } from '../../runtime/stop.ts';
import type { Context } from '../context.ts';
import type { SessionObjectRow, SessionRow } from '../operations/write-sessions/rows.ts';
import type { PutOptions } from '../REGISTRY.ts';
import { discardPlaces } from './discard.ts';

/**
 * Keeps the bytes of an object aside, under a name that nobody else has, and then says to the session that they are
 * there. Whatever fails before that leaves bytes that are nobody's: they are deleted, here or by a collection.
 */
export async function receiveBytes(
  { database, dataplane, newId, background }: Context,
  { id, backend_id }: Pick<SessionRow, 'id' | 'backend_id'>,
  object: SessionObjectRow,
  body: AsyncIterable<Uint8Array>,
  { size_bytes, signal }: PutOptions,
): Promise<void> {
  const { name, sha256 } = object;
  if (size_bytes !== undefined && size_bytes !== object.size_bytes) throw otherLength(object, size_bytes);
  const whole = exactly(object, body);
  if (object.state !== 'put') return await compare(object, stoppable(whole, signal));
  const place = { uploadId: newId(), backendId: backend_id };
  const { segments, failure } = await dataplane.segments.append(
    {
      ...place,
      epoch: 1,
      segments: [],
      grows: false,
      maximumBytes: object.size_bytes,
      digests: new Map([['sha256', fromHex(sha256)!]]),
      ...(signal === undefined ? {} : { signal }),
      onDurable: async () => undefined,
    },
    whole,
  );
  let kept = false;
  try {
    if (failure !== undefined) throw failure.error;
    const received = await database.write('session.receive', { id, name, place_id: place.uploadId, segments });
    kept = received.kept;
    if (received.places.length > 0) background('draft_left', discardPlaces({ dataplane }, received.places));
  } finally {
    if (!kept && segments.length > 0) background('draft_left', dataplane.segments.discard(place, segments));
  }
}

/** Bytes that are there already, or are a file of another package's: they are read and forgotten. */
async function compare({ name, sha256 }: SessionObjectRow, body: AsyncIterable<Uint8Array>): Promise<void> {
  const hasher = createHasher('sha256');
  for await (const chunk of body) hasher.update(chunk);
  if (toHex(hasher.digest()) === sha256) return;
  throw new ArtifactstoreError('digest_mismatch', `The body is not what was announced for "${name}": its SHA-256 differs.`, {
    field: name,
    info: { algorithm: 'sha256', expected: sha256 },
  });
}

/** The body, which has exactly the announced length, or is `length_mismatch` or `object_too_long`. */
async function* exactly(object: SessionObjectRow, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > object.size_bytes) throw otherLength(object, size);
    yield chunk;
  }
  if (size < object.size_bytes) throw otherLength(object, size);
}

function otherLength({ name, size_bytes }: SessionObjectRow, size: number): ArtifactstoreError {
  const detail = { field: name, info: { expected_bytes: size_bytes } };
  if (size > size_bytes)
    return new ArtifactstoreError(
      'object_too_long',
      `The body of "${name}" is longer than the ${size_bytes} bytes that were announced.`,
      detail,
    );
  return new ArtifactstoreError('length_mismatch', `The body of "${name}" has ${size} bytes, and ${size_bytes} were announced.`, detail);
}
