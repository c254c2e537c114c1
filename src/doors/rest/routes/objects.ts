import { Type } from 'typebox';
import { parseAddress } from '../../../kernel/content/address.ts';
import { download, sendFile } from '../download.ts';
import { answers, contentAddress, notModified } from '../parameters.ts';
import type { Api, RouteContext } from '../route.ts';

export function objectRoutes(api: Api, context: RouteContext): void {
  const bytes = Type.Unsafe<Uint8Array>({ description: 'The bytes.' });
  api.route({
    method: ['GET', 'HEAD'],
    url: '/objects/:content_address',
    config: { access: 'read', ...download },
    schema: {
      operationId: 'getObject',
      tags: ['objects'],
      summary: 'Bytes by either digest, for a reader of a package that holds them',
      produces: ['application/octet-stream'],
      params: Type.Object({ content_address: contentAddress }),
      response: answers({ 200: bytes, 206: bytes, 304: notModified }, 400, 404, 412, 416),
    },
    handler: async (request, reply) =>
      sendFile(context, request, reply, { content_address: parseAddress(request.params.content_address, 'content_address') }),
  });
}
