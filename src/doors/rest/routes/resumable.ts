import { Type } from '#typebox';
import { parseRelativePath } from '../../../kernel/content/path.ts';
import { partialUploadType } from '../../../protocol/resumable-upload.ts';
import { answers, filePath, uploadId } from '../parameters.ts';
import { fileRecord } from '../records.ts';
import { continueUpload, sendReceived } from '../resumable/ietf.ts';
import { uploadLimit } from '../resumable/uploads.ts';
import type { Api, RouteContext } from '../route.ts';

const nothing = Type.Null({ description: 'There is no body; the headers say how the upload is.' });

/** Resumable uploads as draft-ietf-httpbis-resumable-upload has them; what begins one is a PUT of a file. */
export function resumableRoutes(api: Api, context: RouteContext): void {
  api.patch(
    '/uploads/:id',
    {
      config: {
        access: 'write',
        body: 'raw',
        takes: ['Upload-Offset', 'Upload-Complete', 'Upload-Length', 'Content-Digest', 'Repr-Digest', 'Artifactstore-Block-Digests'],
        gives: ['Upload-Offset', 'Upload-Complete'],
      },
      schema: {
        operationId: 'continueUpload',
        tags: ['uploads'],
        summary: 'Add bytes to an upload',
        description:
          `The body is ${partialUploadType}: the bytes of the file from Upload-Offset on. With Upload-Complete: ?1 its end ` +
          'is the end of the file, and the answer is that of the PUT that began it. ' +
          'A second request for the same upload ends the first.',
        consumes: [partialUploadType],
        params: uploadId,
        response: answers({ 200: fileRecord, 201: fileRecord, 204: nothing }, 400, 404, 408, 409, 410, 415, 422),
      },
    },
    async (request, reply) => sendReceived(reply, await continueUpload(context, request, reply, request.params.id), 204),
  );

  api.options(
    '/packages/:id/files/*',
    {
      config: { access: 'anonymous', gives: ['Accept-Patch', 'Upload-Limit'] },
      schema: {
        operationId: 'getUploadOptions',
        tags: ['uploads'],
        summary: 'That uploads resume here, and what they may be',
        params: filePath,
        response: answers({ 204: nothing }, 400),
      },
    },
    async (request, reply) => {
      parseRelativePath(request.params['*'], 'relative_path');
      return reply
        .code(204)
        .headers({ allow: 'GET, HEAD, OPTIONS, PUT', 'accept-patch': partialUploadType, 'upload-limit': uploadLimit() })
        .send(null as never);
    },
  );
}
