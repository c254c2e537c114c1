import { Type } from '#typebox';
import { readBody, readOnce, refuseContentEncoding, statedLength } from '../../../http/body.ts';
import { disconnectSignal } from '../../../http/send.ts';
import { refuseLateDigests } from '../../../http/stated-digests.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { checkIdempotencyKey } from '../idempotency-key.ts';
import { answers, paging, sessionId, sessionObjectPath } from '../parameters.ts';
import { uploadRecord } from '../records.ts';
import { newWriteSession, objectToUpload } from '../request-bodies.ts';
import { stateUpload } from '../resumable/uploads.ts';
import type { Api, RouteContext } from '../route.ts';
import { withAddresses, withReadAddresses } from '../session-addresses.ts';
import { committedRecord, sessionObjectRecord, writeSessionPage, writeSessionRecord } from '../session-records.ts';
import { filePathOf } from '../upload.ts';

const nothing = Type.Null({ description: 'There is no body.' });

/** Sets of files that are handed over by somebody who holds no key of a store. */
export function writeSessionRoutes(api: Api, context: RouteContext): void {
  api.post(
    '/write-sessions',
    {
      config: {
        access: 'write',
        body: 'json',
        jsonBytes: context.limits.largeJsonBytes,
        takes: ['Idempotency-Key'],
        needs: ['Idempotency-Key'],
        gives: ['Location'],
      },
      schema: {
        operationId: 'openWriteSession',
        tags: ['write sessions'],
        summary: 'Open a write session',
        description:
          'An Idempotency-Key is required, and is unique for each producer and scope: the same body gives the same session again (200), ' +
          'another one 409. Of a session that expired or was aborted the key is free again.',
        body: newWriteSession,
        response: answers({ 200: writeSessionRecord, 201: writeSessionRecord }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      if (key === undefined)
        throw new ArtifactstoreError(
          'idempotency_key_missing',
          'A write session is opened with an Idempotency-Key: choose one, and repeat it.',
          { field: 'idempotency-key' },
        );
      const { record, created } = await request.registry.writeSessions.open(request.body, { idempotencyKey: checkIdempotencyKey(key) });
      return reply
        .code(created ? 201 : 200)
        .header('location', `/write-sessions/${record.id}`)
        .header('cache-control', 'no-store')
        .send(withAddresses(request.prefix, record));
    },
  );

  api.get(
    '/write-sessions',
    {
      config: { access: 'read', list: true, gives: ['Cache-Control'] },
      schema: {
        operationId: 'listWriteSessions',
        tags: ['write sessions'],
        summary: 'Write sessions that are open or being committed',
        description: 'Of producers that the caller may write to, in the order in which they were opened; without their objects.',
        querystring: Type.Object(paging),
        response: answers({ 200: writeSessionPage }, 400),
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return await request.registry.writeSessions.list(request.query);
    },
  );

  api.get(
    '/write-sessions/:id',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'getWriteSession',
        tags: ['write sessions'],
        summary: 'What a write session has, and what it wants',
        params: sessionId,
        response: answers({ 200: writeSessionRecord }, 400, 404),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const session = await request.registry.writeSessions.status(id);
      if (session === undefined) throw noSuchSession(id);
      // Its handles may be secrets.
      reply.header('cache-control', 'no-store');
      return withAddresses(request.prefix, session);
    },
  );

  api.put(
    '/write-sessions/:id/objects/*',
    {
      config: { access: 'write', body: 'raw' },
      schema: {
        operationId: 'putSessionObject',
        tags: ['write sessions'],
        summary: 'The bytes of an object',
        description: 'They must have the length and the SHA-256 that were announced. Nobody can read them before the commit.',
        consumes: ['*/*'],
        params: sessionObjectPath,
        response: answers({ 200: sessionObjectRecord }, 400, 404, 408, 409, 410, 415),
      },
    },
    async (request, reply) => {
      const { raw, params } = request;
      refuseContentEncoding(raw);
      refuseLateDigests(raw.headers.trailer);
      if (raw.headers['content-range'] !== undefined)
        throw new ArtifactstoreError('invalid_header', 'An object is put as a whole: Content-Range is not accepted here.', {
          field: 'content-range',
        });
      const length = raw.headers['transfer-encoding'] === undefined ? (statedLength(raw) ?? 0) : undefined;
      return await request.registry.writeSessions.put(params.id, filePathOf(request), readOnce(readBody(request, context.limits)), {
        signal: disconnectSignal(reply),
        ...(length === undefined ? {} : { size_bytes: length }),
      });
    },
  );

  api.post(
    '/write-sessions/:id/uploads',
    {
      config: { access: 'write', body: 'json', gives: ['Location', 'Upload-Offset'] },
      schema: {
        operationId: 'uploadSessionObject',
        tags: ['write sessions'],
        summary: 'An upload for the bytes of an object, which come in pieces',
        description:
          'They are sent to /uploads/{id} as those of any upload, and the last one makes the object received. Whoever begins it ' +
          'again is told where it is (200).',
        params: sessionId,
        body: objectToUpload,
        response: answers({ 200: uploadRecord, 201: uploadRecord }, 400, 404, 409, 410, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const { record, created } = await request.registry.writeSessions.beginUpload(request.params.id, request.body.name);
      return stateUpload(reply.code(created ? 201 : 200).header('location', `/uploads/${record.id}`), record).send(record);
    },
  );

  api.post(
    '/write-sessions/:id/commit',
    {
      config: { access: 'write' },
      schema: {
        operationId: 'commitWriteSession',
        tags: ['write sessions'],
        summary: 'Make the package of a write session, sealed',
        description: 'Each time the same answer. Where objects are missing or wrong, 409 names all of them, and the session stays open.',
        params: sessionId,
        response: answers({ 200: committedRecord }, 400, 404, 409, 410, 412, 422),
      },
    },
    async (request) => withReadAddresses(request.prefix, await request.registry.writeSessions.commit(request.params.id)),
  );

  api.delete(
    '/write-sessions/:id',
    {
      config: { access: 'write' },
      schema: {
        operationId: 'abortWriteSession',
        tags: ['write sessions'],
        summary: 'Abort a write session; what came goes',
        params: sessionId,
        response: answers({ 204: nothing }, 400, 404, 409, 410),
      },
    },
    async (request, reply) => {
      await request.registry.writeSessions.abort(request.params.id);
      return reply.code(204).send(null as never);
    },
  );
}

function noSuchSession(id: string): ArtifactstoreError {
  return new ArtifactstoreError('write_session_not_found', `There is no write session ${id}; open it again.`, { field: 'id' });
}
