import { Type } from '#typebox';
import { essence } from '../../../http/body.ts';
import { disconnectSignal } from '../../../http/send.ts';
import { parseAddress } from '../../../kernel/content/address.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { minimalApplied, prefersMinimal } from '../../../protocol/prefer.ts';
import type { Attachment, File, Page, Registry } from '../../../registry/REGISTRY.ts';
import { download, sendFile } from '../download.ts';
import { answers, contentAddress, fileId, filePath, notModified, packageId, paging, wholePath } from '../parameters.ts';
import { addedFiles, attachedRecord, filePage, fileRecord, foundFilePage, itemsOf, uploadRecord } from '../records.ts';
import { attachments } from '../request-bodies.ts';
import { beginsUpload, createUpload, sendReceived } from '../resumable/ietf.ts';
import type { Api, RouteContext } from '../route.ts';
import { sendPage } from '../send-page.ts';
import { filePathOf, filesTypes, receiveFile, receiveFiles } from '../upload.ts';

const bytes = Type.Unsafe<Uint8Array>({ description: 'The bytes.' });
const anyType = ['*/*'];
const fileOrUpload = Type.Union([fileRecord, uploadRecord]);

export function fileRoutes(api: Api, context: RouteContext): void {
  api.get(
    '/packages/:id/files',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'listFiles',
        tags: ['files'],
        summary: 'The files of a package, by relative path; or the one with this relative path, or none',
        params: packageId,
        querystring: Type.Object({
          ...paging,
          relative_path: Type.Optional(wholePath),
        }),
        response: answers({ 200: filePage }, 400, 404),
      },
    },
    async (request, reply) => {
      const { relative_path, ...page } = request.query;
      if (relative_path === undefined)
        return sendPage(context, request, reply, await request.registry.files.encodedList(request.params.id, page));
      return await pageOfOne(request.registry, request.params.id, relative_path, page.cursor);
    },
  );

  api.post(
    '/packages/:id/files',
    {
      config: {
        access: 'write',
        body: 'json',
        rawTypes: filesTypes,
        jsonBytes: context.limits.largeJsonBytes,
        takes: ['Prefer'],
      },
      schema: {
        operationId: 'addFiles',
        tags: ['files'],
        summary: 'Add files: many at once (multipart or tar), or by the address of bytes that are here already (JSON)',
        description:
          "multipart/form-data: each part's filename, whole, is a relative path; all or nothing. " +
          'application/x-tar: likewise, the mirror of /archive. application/json: each item has its own answer, ' +
          'with Prefer: return=minimal without the record of its file.',
        params: packageId,
        body: { content: { 'application/json': { schema: attachments } } },
        response: answers({ 200: itemsOf(attachedRecord), 201: addedFiles }, 400, 404, 409, 410, 413, 415, 422),
      },
    },
    async (request, reply) => {
      if (essence(request.headers['content-type']) === 'application/json') {
        const { items } = request.body as { readonly items: readonly Attachment[] };
        const records = !prefersMinimal(request.headers.prefer);
        const attached = await request.registry.files.attach(request.params.id, items, { signal: disconnectSignal(reply), records });
        if (!records) reply.header('preference-applied', minimalApplied);
        return reply.code(200).send({ items: attached });
      }
      return reply.code(201).send(await receiveFiles(context, request, reply, request.params.id));
    },
  );

  api.put(
    '/packages/:id/files/*',
    {
      config: {
        access: 'write',
        body: 'raw',
        takes: [
          'Content-Digest',
          'Repr-Digest',
          'If-Match',
          'If-None-Match',
          'Artifactstore-Annotations',
          'Artifactstore-Block-Digests',
          'Upload-Complete',
          'Upload-Length',
          'Upload-Draft-Interop-Version',
        ],
        gives: ['Location'],
      },
      schema: {
        operationId: 'putFile',
        tags: ['files'],
        summary: 'Add a file',
        description:
          'The body is the file, of any type and length. Content-Digest and Repr-Digest (sha-256, ' +
          'sha-512, blake3), Content-MD5 and Digest are checked; If-Match and If-None-Match are ' +
          'about what the path holds; Artifactstore-Annotations is a dictionary of strings (RFC 9651). ' +
          'With Upload-Complete: ?0 the body is the beginning of the file, and the answer is the upload.',
        consumes: anyType,
        params: filePath,
        response: answers({ 200: fileRecord, 201: fileOrUpload }, 400, 404, 408, 409, 410, 412, 415, 422),
      },
    },
    async (request, reply) => {
      if (beginsUpload(request)) return sendReceived(reply, await createUpload(context, request, reply, request.params.id), 201);
      const { record, created } = await receiveFile(context, request, reply, request.params.id);
      return reply
        .code(created ? 201 : 200)
        .header('location', `/files/${record.id}`)
        .send(record);
    },
  );

  api.route({
    method: ['GET', 'HEAD'],
    url: '/packages/:id/files/*',
    config: { access: 'read', ...download },
    schema: {
      operationId: 'getFileBytes',
      tags: ['files'],
      summary: "A file's bytes",
      produces: anyType,
      params: filePath,
      response: answers({ 200: bytes, 206: bytes, 304: notModified }, 400, 404, 410, 412, 416),
    },
    handler: (request, reply) => sendFile(context, request, reply, { package_id: request.params.id, relative_path: filePathOf(request) }),
  });

  api.get(
    '/files',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'findFiles',
        tags: ['files'],
        summary: 'Files with these bytes, by either digest, oldest first, each with its package',
        querystring: Type.Object({ ...paging, digest: contentAddress }),
        response: answers({ 200: foundFilePage }, 400),
      },
    },
    async (request, reply) => {
      const { digest, ...page } = request.query;
      return sendPage(context, request, reply, await request.registry.files.encodedWithDigest(parseAddress(digest, 'digest'), page));
    },
  );

  api.get(
    '/files/:id',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getFile',
        tags: ['files'],
        summary: "A file's record",
        params: fileId,
        response: answers({ 200: fileRecord }, 400, 404),
      },
    },
    async (request) => {
      const file = await request.registry.files.get(request.params.id);
      if (file === undefined) throw new ArtifactstoreError('file_not_found', 'There is no such file.');
      return file;
    },
  );

  api.route({
    method: ['GET', 'HEAD'],
    url: '/files/:id/download',
    config: { access: 'read', ...download },
    schema: {
      operationId: 'downloadFile',
      tags: ['files'],
      summary: "A file's bytes",
      produces: anyType,
      params: fileId,
      response: answers({ 200: bytes, 206: bytes, 304: notModified }, 400, 404, 410, 412, 416),
    },
    handler: (request, reply) => sendFile(context, request, reply, { file_id: request.params.id }),
  });
}

/** A page that never continues, so that no cursor can be one of its own. */
async function pageOfOne(registry: Registry, packageId: string, relativePath: string, cursor: string | undefined): Promise<Page<File>> {
  if (cursor !== undefined)
    throw new ArtifactstoreError('invalid_cursor', 'A list of one file has one page; leave the cursor out.', { field: 'cursor' });
  const file = await registry.files.find(packageId, relativePath);
  if (file === undefined && (await registry.packages.get(packageId)) === undefined)
    throw new ArtifactstoreError('package_not_found', `There is no package ${packageId}.`, { field: 'package_id' });
  return { items: file === undefined ? [] : [file], next_cursor: null };
}
