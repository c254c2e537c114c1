import { blake3, toHex, utf8 } from '../../kernel/content/digest.ts';
import { comparePaths, parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { canonicalJson } from '../../kernel/format/json.ts';
import type { WriteSessionBounds } from '../context.ts';
import { checkMediaType, checkText } from '../input.ts';
import { limits, type RegistryBound } from '../limits.ts';
import type { NewSessionObject, NewWriteSession } from '../REGISTRY.ts';

export const defaultSessionBounds: WriteSessionBounds = {
  objects: limits.sessionObjects,
  bytes: limits.sessionBytes,
  seconds: limits.sessionMostSeconds,
  open: limits.openWriteSessions,
};

export type CheckedSession = Omit<NewWriteSession, 'objects'> & { readonly objects: readonly Required<NewSessionObject>[] };

/** Objects by name. Errors: those of `WriteSessions.open` that need no look at the registry. */
export function checkSession(input: NewWriteSession, bounds: WriteSessionBounds): CheckedSession {
  const { objects, ttl_seconds } = input;
  if (objects.length > bounds.objects)
    throw new ArtifactstoreError(
      'too_many_files',
      `A write session has at most ${bounds.objects} objects, and this one ${objects.length}.`,
      {
        field: '/objects',
        ...beyond('write_session_objects', bounds.objects),
      },
    );
  if (objects.length === 0)
    throw new ArtifactstoreError('write_session_empty', 'A write session has at least one object, and this one none.', {
      field: '/objects',
    });
  if (!Number.isSafeInteger(ttl_seconds) || ttl_seconds < limits.sessionLeastSeconds || ttl_seconds > bounds.seconds)
    throw new ArtifactstoreError(
      'invalid_ttl',
      `"ttl_seconds" must be a whole number from ${limits.sessionLeastSeconds} to ${bounds.seconds}.`,
      { field: '/ttl_seconds', ...(ttl_seconds > bounds.seconds ? beyond('write_session_time', bounds.seconds) : {}) },
    );
  const checked = objects.map(checkObject);
  requireOnce(checked);
  const bytes = checked.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  if (bytes > bounds.bytes)
    throw new ArtifactstoreError(
      'write_session_too_large',
      `The objects have ${bytes} bytes together, and a write session at most ${bounds.bytes}.`,
      { field: '/objects', ...beyond('write_session_bytes', bounds.bytes) },
    );
  return {
    scope: checkText(input.scope, 'scope'),
    producer: checkText(input.producer, 'producer'),
    subject: checkText(input.subject, 'subject'),
    namespace: checkText(input.namespace, 'namespace'),
    retention_class: checkText(input.retention_class, 'retention_class'),
    ttl_seconds,
    objects: [...checked].sort((left, right) => comparePaths(left.name, right.name)),
  };
}

/** By what the same request is known, in whatever order it names its objects. */
export function requestDigest(session: CheckedSession): string {
  return toHex(blake3(utf8(canonicalJson({ ...session }))));
}

function checkObject(object: NewSessionObject, index: number): Required<NewSessionObject> {
  const at = `/objects/${index}`;
  const { sha256, size_bytes } = object;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256))
    throw new ArtifactstoreError('invalid_digest', '"sha256" must be 64 lowercase hex digits.', { field: `${at}/sha256` });
  if (!Number.isSafeInteger(size_bytes) || size_bytes < 0)
    throw new ArtifactstoreError('invalid_size', '"size_bytes" must be a whole number, 0 or more.', { field: `${at}/size_bytes` });
  return {
    name: parseRelativePath(object.name, `${at}/name`),
    sha256,
    size_bytes,
    media_type: checkMediaType(object.media_type, `${at}/media_type`),
  };
}

function requireOnce(objects: readonly { readonly name: string }[]): void {
  const names = new Set<string>();
  for (const [index, { name }] of objects.entries()) {
    if (names.has(name))
      throw new ArtifactstoreError('duplicate_name', `The write session names "${name}" twice.`, { field: `/objects/${index}/name` });
    names.add(name);
  }
}

function beyond(bound: RegistryBound, limit: number): { readonly info: { readonly bound: RegistryBound; readonly limit: number } } {
  return { info: { bound, limit } };
}
