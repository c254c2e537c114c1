import { Type } from '#typebox';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { checksumAlgorithms, tusExtensions, tusVersion } from '../../../protocol/tus.ts';
import { answers, uploadId } from '../parameters.ts';
import { fieldOf, requireVersion } from '../resumable/tus/fields.ts';
import { speaksTus } from '../resumable/tus/refusal.ts';
import { createTusUpload, describeTusUpload, findTusUpload, patchTusUpload, stateTusUpload } from '../resumable/tus/uploads.ts';
import { uploadsOf } from '../resumable/uploads.ts';
import type { Api, RouteContext } from '../route.ts';

const nothing = Type.Null({ description: 'There is no body.' });

/**
 * `/uploads` for requests that carry `Tus-Resumable`. OpenAPI has one operation for a path and a method: these are
 * described with the others.
 */
export function tusRoutes(api: Api, context: RouteContext): void {
  api.addConstraintStrategy({
    name: 'tus',
    storage: () => {
      const handlers = new Map<unknown, unknown>();
      return {
        get: (key) => (handlers.get(key) as never) ?? null,
        set: (key, handler) => void handlers.set(key, handler),
      };
    },
    validate: () => undefined,
    deriveConstraint: (request) => (speaksTus(request) ? 'tus' : undefined),
  });
  const tus = {
    constraints: { tus: 'tus' },
    onRequest: async (request: Parameters<typeof requireVersion>[0]) => requireVersion(request),
    preHandler: async (_request: unknown, reply: { header(name: string, value: string): unknown }) => {
      reply.header('tus-resumable', tusVersion);
    },
  };

  api.options(
    '/uploads',
    {
      config: { access: 'anonymous' },
      schema: {
        operationId: 'getTusOptions',
        tags: ['uploads'],
        summary: 'What the server speaks of tus: version, extensions, checksums',
        response: answers({ 204: nothing }),
      },
    },
    async (_request, reply) =>
      reply
        .code(204)
        .headers({
          'tus-resumable': tusVersion,
          'tus-version': tusVersion,
          'tus-extension': tusExtensions.join(','),
          'tus-checksum-algorithm': Object.keys(checksumAlgorithms).join(','),
        })
        .send(null as never),
  );

  api.post('/uploads', { ...tus, config: { access: 'write', body: 'raw' }, schema: { hide: true } }, async (request, reply) => {
    const upload = await createTusUpload(context, request);
    return await stateTusUpload(reply.code(201).header('location', `/uploads/${upload.id}`), upload).send();
  });

  const ofOne = { hide: true, params: uploadId };

  api.head('/uploads/:id', { ...tus, config: { access: 'write' }, schema: ofOne }, async (request, reply) => {
    const upload = await findTusUpload(request, request.params.id);
    return await describeTusUpload(stateTusUpload(reply, upload), upload).send();
  });

  api.patch('/uploads/:id', { ...tus, config: { access: 'write', body: 'raw' }, schema: ofOne }, async (request, reply) => {
    const upload = await patchTusUpload(context, request, request.params.id);
    return await stateTusUpload(reply.code(204), upload).send();
  });

  api.delete('/uploads/:id', { ...tus, config: { access: 'write' }, schema: ofOne }, async (request, reply) => {
    await uploadsOf(request).abandon(request.params.id);
    return await reply.code(204).send();
  });

  // For clients between which and the server only GET and POST pass.
  api.post('/uploads/:id', { ...tus, config: { access: 'write', body: 'raw' }, schema: ofOne }, async (request, reply) => {
    const method = fieldOf(request, 'x-http-method-override')?.toUpperCase();
    if (method === 'PATCH') return await stateTusUpload(reply.code(204), await patchTusUpload(context, request, request.params.id)).send();
    if (method !== 'DELETE')
      throw new ArtifactstoreError('method_not_allowed', 'POST to an upload is for X-HTTP-Method-Override: PATCH or DELETE.', {
        field: 'x-http-method-override',
      });
    await uploadsOf(request).abandon(request.params.id);
    return await reply.code(204).send();
  });
}
