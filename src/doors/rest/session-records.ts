import { type TSchema, type TUnsafe, Type } from '#typebox';
import type { CommittedSession, ListedWriteSession, Page, SessionObject, WriteHandle, WriteSession } from '../../registry/REGISTRY.ts';
import { describes } from './openapi/describes.ts';
import { address, addressOrNull, count, id, pageOf, path, sha256OfHello, text, textOrNull, time } from './record-members.ts';

/** The records of write sessions, as `records.ts` has the others. */
export const writeSessionRecord: TUnsafe<WriteSession> = Type.Unsafe<WriteSession>({ $ref: 'WriteSession#' });
const listedSessionRecord: TUnsafe<ListedWriteSession> = Type.Unsafe<ListedWriteSession>({ $ref: 'ListedWriteSession#' });
export const writeSessionPage: TUnsafe<Page<ListedWriteSession>> = Type.Unsafe<Page<ListedWriteSession>>(pageOf(listedSessionRecord));
export const sessionObjectRecord: TUnsafe<SessionObject> = Type.Unsafe<SessionObject>({ $ref: 'SessionObject#' });
export const committedRecord: TUnsafe<CommittedSession> = Type.Unsafe<CommittedSession>({ $ref: 'CommittedSession#' });

const sha256Hex = Type.String({ pattern: '^[0-9a-f]{64}$', examples: [sha256OfHello] });
const url = Type.String({ description: 'An address, or a path of this server.' });
const sessionObject = Type.Object({
  name: path,
  sha256: sha256Hex,
  size_bytes: count,
  media_type: text,
  state: Type.Union([Type.Literal('present'), Type.Literal('put'), Type.Literal('received')]),
  upload_id: Type.Optional(id),
  handle: Type.Optional(
    describes<WriteHandle>()(
      Type.Object({
        method: Type.Literal('PUT'),
        url,
        headers: Type.Record(Type.String(), Type.String()),
        expires_at: time,
      }),
    ),
  ),
  url: Type.Optional(url),
});

const sessionMembers = {
  id,
  state: Type.Union([
    Type.Literal('open'),
    Type.Literal('committing'),
    Type.Literal('committed'),
    Type.Literal('aborted'),
    Type.Literal('expired'),
  ]),
  reason: textOrNull,
  scope: text,
  producer: text,
  subject: text,
  namespace: text,
  retention_class: text,
  created_at: time,
  created_by: text,
  expires_at: time,
  package_id: Type.Union([id, Type.Null()]),
  manifest_digest: addressOrNull,
  object_count: count,
  total_bytes: count,
};

/** The components themselves, with their names. */
export const sessionComponents: readonly (readonly [name: string, shape: TSchema])[] = [
  [
    'WriteSession',
    describes<WriteSession>()(
      Type.Object({
        ...sessionMembers,
        objects: Type.Array(sessionObjectRecord),
      }),
    ),
  ],
  ['ListedWriteSession', describes<ListedWriteSession>()(Type.Object(sessionMembers))],
  ['SessionObject', describes<SessionObject>()(sessionObject)],
  [
    'CommittedSession',
    describes<CommittedSession>()(
      Type.Object({
        package_id: id,
        manifest_digest: address,
        objects: Type.Record(Type.String(), Type.Object({ url: Type.Optional(url), sha256: sha256Hex, size_bytes: count })),
      }),
    ),
  ],
];
