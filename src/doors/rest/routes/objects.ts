import type { FastifyReply, FastifyRequest } from 'fastify';
import { type TSchema, Type } from '#typebox';
import { parseAddress } from '../../../kernel/content/address.ts';
import { parseRelativePath, segmentPattern } from '../../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { isLonger } from '../../../kernel/format/text-rules.ts';
import { bounds } from '../bounds.ts';
import { download, sendFile } from '../download.ts';
import { answers, contentAddress, notModified } from '../parameters.ts';
import type { Api, RouteContext } from '../route.ts';

/** Bytes that never change at an address that never means others. Where a token is asked for, caches of one reader. */
const immutable = (request: FastifyRequest): string =>
  `${request.raw.headers.authorization === undefined ? 'public' : 'private'}, max-age=31536000, immutable`;

export function objectRoutes(api: Api, context: RouteContext): void {
  const bytes = Type.Unsafe<Uint8Array>({ description: 'The bytes.' });
  const schema = <P extends TSchema>(operationId: string, summary: string, params: P) => ({
    operationId,
    tags: ['objects'],
    summary,
    produces: ['application/octet-stream'],
    params,
    response: answers({ 200: bytes, 206: bytes, 304: notModified }, 400, 404, 410, 412, 416),
  });
  const send = (request: FastifyRequest, reply: FastifyReply, address: string, name?: string) => {
    const content_address = parseAddress(address, 'content_address');
    const caching = immutable(request);
    return sendFile(
      context,
      request,
      reply,
      { content_address },
      name === undefined ? { caching } : { caching, name, etag: `"${address}"` },
    );
  };

  api.route({
    method: ['GET', 'HEAD'],
    url: '/objects/:content_address',
    config: { access: 'read', ...download },
    schema: schema(
      'getObject',
      'Bytes by either digest, for a reader of a package that holds them',
      Type.Object({ content_address: contentAddress }),
    ),
    handler: (request, reply) => send(request, reply, request.params.content_address),
  });

  api.route({
    method: ['GET', 'HEAD'],
    url: '/objects/:content_address/:file_name',
    config: { access: 'read', ...download },
    schema: schema(
      'getNamedObject',
      'The same, under a name that says nothing but how to save them',
      Type.Object({
        content_address: contentAddress,
        file_name: Type.String({
          minLength: 1,
          maxLength: longestName,
          pattern: segmentPattern,
          description: 'Any name.',
          examples: ['app.tar'],
        }),
      }),
    ),
    handler: (request, reply) => send(request, reply, request.params.content_address, checkName(request.params.file_name)),
  });
}

const longestName = bounds.file_name_characters.value;

function checkName(text: string): string {
  const name = parseRelativePath(text, 'file_name');
  const tooLong = isLonger(name, longestName);
  if (name.includes('/') || tooLong)
    throw new ArtifactstoreError('invalid_path', `A file name has no slash, and at most ${longestName} characters.`, {
      field: 'file_name',
      ...(tooLong ? { info: { bound: 'file_name_characters', limit: longestName } } : {}),
    });
  return name;
}
