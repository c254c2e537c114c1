import { parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { checkIdempotencyKey } from '../../kernel/format/idempotency-key.ts';
import { parseId } from '../../kernel/id.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Access } from '../access.ts';
import type { Context } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { createIngest } from '../ingest.ts';
import { checkLimit } from '../input.ts';
import { uploadRecord } from '../operations/uploads/rows.ts';
import { noSession, noSessionObject, requireLive, type SessionRow } from '../operations/write-sessions/rows.ts';
import type { SizedSession } from '../operations/write-sessions/write-sessions.ts';
import type { WriteSessions } from '../REGISTRY.ts';
import { settleUpload } from '../uploads/end.ts';
import { defaultUploadSeconds } from '../uploads/take.ts';
import { checkSession, defaultSessionBounds, requestDigest } from './check-session.ts';
import { commitSession } from './commit.ts';
import { clearQuarantine, discardPlaces } from './discard.ts';
import { presentAmong } from './present.ts';
import { takeArrived } from './quarantine.ts';
import { receiveBytes } from './receive.ts';
import { receiveWhole } from './receive-upload.ts';
import { tellSessionEnd } from './session-end.ts';
import { listedSession, objectRecord, sessionRecord } from './session-record.ts';

export function createWriteSessions(context: Context, access: Access): WriteSessions {
  const { database } = context;
  const { actor } = access;
  const bounds = { ...defaultSessionBounds, ...context.writeSessions };
  const parts = { context, access, ingest: createIngest(context, actor) };

  /** The session, for who may write to its producer. */
  function requireOwn<T extends { readonly row: SessionRow }>(found: T | undefined, id: string): T {
    if (found === undefined || !access.sees(found.row.producer)) throw noSession(id);
    access.require('write', found.row.producer);
    return found;
  }

  const readWhole = (sized: SizedSession) => database.read('session.get', { ...sized, objects: true });

  /** The session with its objects, as of now: what was written to the store itself counts as received. */
  async function lookThrough(sized: SizedSession): ReturnType<typeof readWhole> {
    const found = await readWhole(sized);
    const more = found !== undefined && (await takeArrived(context, found.row, found.objects));
    return more ? await readWhole(sized) : found;
  }

  return {
    async open(input, { idempotencyKey }) {
      const session = checkSession(input, bounds);
      const { producer, scope, subject, namespace, retention_class, objects, ttl_seconds } = session;
      access.require('write', producer);
      const idempotency_key = checkIdempotencyKey(idempotencyKey);
      const classes = context.retentionClasses.map(({ slug }) => slug);
      if (!classes.includes(retention_class))
        throw new ArtifactstoreError(
          'unknown_retention_class',
          `There is no retention class "${retention_class}"; there are ${classes.join(', ')}.`,
          { field: '/retention_class' },
        );
      const present = await presentAmong(context, access, objects);
      const { record, created } = await database.write('session.open', {
        ...{ actor, producer, scope, idempotency_key },
        request_digest: requestDigest(session),
        backend_id: context.routeBackend(producer, retention_class),
        detail: { subject, namespace, retention_class },
        objects: objects.map((object) => ({ ...object, state: present.has(object.name) ? ('present' as const) : ('put' as const) })),
        lifetime_seconds: ttl_seconds,
        quota: context.quotaOf(producer) ?? null,
        maximum_open: bounds.open,
      });
      const { id, object_count } = record;
      const found = await (created ? readWhole : lookThrough)({ id, object_count });
      return { record: await sessionRecord(context, found?.row ?? record, found?.objects ?? []), created };
    },

    async status(id) {
      const own = await database.read('session.get', { id: parseId(id, 'id'), objects: false });
      if (own === undefined || !access.sees(own.row.producer)) return undefined;
      const { object_count, producer } = own.row;
      access.require('write', producer);
      const found = await lookThrough({ id: own.row.id, object_count });
      return found && (await sessionRecord(context, found.row, found.objects));
    },

    async list(query = {}) {
      const bound = ['write sessions'];
      const { rows, reached } = await database.read('session.list', {
        scope: access.writes,
        now: formatTimestamp(context.now()),
        after: decodeCursor(bound, query.cursor, 'id'),
        limit: checkLimit(query),
      });
      return { items: rows.map(listedSession), next_cursor: reached === null ? null : encodeCursor(bound, reached) };
    },

    async put(id, name, body, options = {}) {
      const sessionId = parseId(id, 'id');
      const path = parseRelativePath(name, 'name');
      const { row, object } = requireOwn(await database.read('session.find_object', { id: sessionId, name: path }), sessionId);
      requireLive(row, formatTimestamp(context.now()));
      if (object === undefined) throw noSessionObject(sessionId, path);
      await receiveBytes(context, row, object, body, options);
      return objectRecord({ ...object, state: object.state === 'present' ? 'present' : 'received' });
    },

    async beginUpload(id, name) {
      const sessionId = parseId(id, 'id');
      const path = parseRelativePath(name, 'name');
      requireOwn(await database.read('session.get', { id: sessionId, objects: false }), sessionId);
      const begun = await database.write('session.begin_upload', {
        ...{ actor, id: sessionId, name: path },
        lifetime_seconds: context.uploadSeconds ?? defaultUploadSeconds,
      });
      await discardPlaces(context, begun.places);
      const { created } = begun;
      // Whoever sent before may have been cut off, and what came of it is not said yet.
      const record = created ? begun.record : ((await settleUpload(context, begun.record.id)) ?? begun.record);
      if (record.offset_bytes !== record.expected_size_bytes || created) return { record: uploadRecord(record), created };
      // Its last byte came, and whoever sent it was cut off before the answer.
      const received = await tellSessionEnd(parts, record.id, () => receiveWhole(context, { id: record.id, owner: actor }));
      return { record: uploadRecord(received), created };
    },

    async commit(id) {
      const sessionId = parseId(id, 'id');
      const { row } = requireOwn(await database.read('session.get', { id: sessionId, objects: false }), sessionId);
      await lookThrough({ id: sessionId, object_count: row.object_count });
      return await commitSession(parts, row);
    },

    async abort(id) {
      const sessionId = parseId(id, 'id');
      const { object_count } = requireOwn(await database.read('session.get', { id: sessionId, objects: false }), sessionId).row;
      const { row, places } = await database.write('session.abort', { actor, id: sessionId, object_count });
      // Its package was sealed between the two looks.
      if (row.state === 'committed') requireLive(row, formatTimestamp(context.now()));
      await discardPlaces(context, places);
      await clearQuarantine(context, row);
    },
  };
}
