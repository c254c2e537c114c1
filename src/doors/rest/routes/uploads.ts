import { Type } from '#typebox';
import { answers, paging, uploadId } from '../parameters.ts';
import { fileRecord, uploadPage, uploadRecord } from '../records.ts';
import { completeUpload as completion, type OpenUpload, openUpload } from '../request-bodies.ts';
import { beginUpload, completeUpload, noSuchUpload, receiveRange, stateUpload, uploadsOf } from '../resumable/uploads.ts';
import type { Api, RouteContext } from '../route.ts';

const nothing = Type.Null({ description: 'There is no body.' });

/** Files whose bytes come in several requests. */
export function uploadRoutes(api: Api, context: RouteContext): void {
  api.post(
    '/uploads',
    {
      config: { access: 'write', body: 'json-or-empty', gives: ['Location', 'Upload-Offset'] },
      schema: {
        operationId: 'createUpload',
        tags: ['uploads'],
        summary: 'Begin an upload',
        body: openUpload,
        response: answers({ 201: uploadRecord }, 400, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const upload = await beginUpload(request, request.body as OpenUpload);
      return stateUpload(reply.code(201).header('location', `/uploads/${upload.id}`), upload).send(upload);
    },
  );

  api.get(
    '/uploads',
    {
      config: { access: 'read', list: true, gives: ['Cache-Control'] },
      schema: {
        operationId: 'listUploads',
        tags: ['uploads'],
        summary: 'Uploads that are open',
        description:
          'Those that the caller began, or with the right `administer` those of everybody, in that order. No request that is adding ' +
          'to one ends by it: of such a one the offset is that which was last made durable.',
        querystring: Type.Object(paging),
        response: answers({ 200: uploadPage }, 400),
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return await uploadsOf(request).list(request.query);
    },
  );

  api.get(
    '/uploads/:id',
    {
      config: { access: 'read', gives: ['Upload-Offset', 'Upload-Complete', 'Upload-Limit', 'Cache-Control'] },
      schema: {
        operationId: 'getUpload',
        tags: ['uploads'],
        summary: 'Where an upload is',
        description: 'A request that is adding to it ends; what came of it counts, and the offset stays as it is answered.',
        params: uploadId,
        response: answers({ 200: uploadRecord }, 400, 404, 507),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const upload = await uploadsOf(request).status(id, { settle: true });
      if (upload === undefined) throw noSuchUpload(id);
      return stateUpload(reply, upload).send(upload);
    },
  );

  api.put(
    '/uploads/:id',
    {
      config: {
        access: 'write',
        body: 'raw',
        takes: ['Content-Range', 'Content-Digest', 'Artifactstore-Block-Digests'],
        gives: ['Upload-Offset'],
      },
      schema: {
        operationId: 'putUpload',
        tags: ['uploads'],
        summary: 'The whole of an upload, or the range of it that Content-Range names',
        description:
          'A range begins where the upload is, and what came of one that breaks off counts. A request that is adding ' +
          'to it already ends. Without Content-Range the body is the whole.',
        consumes: ['*/*'],
        params: uploadId,
        response: answers({ 200: uploadRecord }, 400, 404, 409, 410, 415, 422),
      },
    },
    async (request, reply) => {
      const upload = await receiveRange(context, request, request.params.id);
      return stateUpload(reply, upload).send(upload);
    },
  );

  api.delete(
    '/uploads/:id',
    {
      config: { access: 'write' },
      schema: {
        operationId: 'abandonUpload',
        tags: ['uploads'],
        summary: 'Abandon an upload; its bytes go',
        params: uploadId,
        response: answers({ 204: nothing }, 400, 404, 409),
      },
    },
    async (request, reply) => {
      await uploadsOf(request).abandon(request.params.id);
      return reply.code(204).send(null as never);
    },
  );

  api.post(
    '/uploads/:id/complete',
    {
      config: { access: 'write', body: 'json', gives: ['Location'] },
      schema: {
        operationId: 'completeUpload',
        tags: ['uploads'],
        summary: 'Make the file of an upload whose bytes are all there',
        description: 'Each time the same answer, until the upload expires.',
        params: uploadId,
        body: completion,
        response: answers({ 200: fileRecord, 201: fileRecord }, 400, 404, 409, 410, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const { record, created } = await completeUpload(request, request.params.id, request.body);
      return reply
        .code(created ? 201 : 200)
        .header('location', `/files/${record.id}`)
        .send(record);
    },
  );
}
