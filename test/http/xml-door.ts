import { readBody } from '../../src/http/body.ts';
import type { EngineContext } from '../../src/http/context.ts';
import type { Door } from '../../src/http/door.ts';
import { administrator } from '../../src/kernel/access.ts';
import { ArtifactstoreError } from '../../src/kernel/error.ts';

export const basicOf = (name: string): string => `Basic ${Buffer.from(`${name}:secret`).toString('base64')}`;
export const basic: string = basicOf('tester');

const statuses: Readonly<Record<string, number>> = {
  unauthorized: 401,
  route_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  unsupported_media_type: 415,
  too_busy: 503,
  forbidden: 403,
};

/** A door that speaks XML, with passwords, below `/xml`. `released` ends those that wait. */
export function createXmlDoor({ limits }: EngineContext, released: Promise<void>): Door {
  return {
    path: '/xml',
    bounds: { xml_words: { value: 2, unit: '', answer: 'body_too_large', what: 'words of a text' } },
    identify({ raw }) {
      const [, text = ''] = /^Basic (.*)$/.exec(raw.headers.authorization ?? '') ?? [];
      const [name, password] = Buffer.from(text, 'base64').toString().split(':');
      if (password !== 'secret') throw new ArtifactstoreError('unauthorized', 'Say who you are.');
      return administrator(name!);
    },
    unknownRoute: ({ raw }) => new ArtifactstoreError('route_not_found', `Nothing is at ${raw.url?.replace('&', '&amp;')}.`),
    refuse(error, requestId) {
      const known = error instanceof ArtifactstoreError ? error : new ArtifactstoreError('internal', 'Something went wrong.');
      const status = statuses[known.code] ?? 500;
      return {
        status,
        headers: {
          'content-type': 'application/xml',
          ...(status === 401 ? { 'www-authenticate': 'Basic realm="xml"' } : {}),
          ...(status === 503 ? { 'retry-after': '1' } : {}),
        },
        body: `<Error><Code>${known.code}</Code><Message>${known.message}</Message><RequestId>${requestId}</RequestId></Error>`,
      };
    },
    addRoutes(api) {
      api.get('/hello', async (_request, reply) => reply.type('application/xml').send('<Hello/>'));
      api.get('/broken', async () => {
        throw new Error('a secret of this machine');
      });
      api.get('/wait', { config: { waits: () => true } }, async (_request, reply) => {
        await released;
        return reply.send('<Waited/>');
      });
      api.get('/slow', async (_request, reply) => {
        await released;
        return reply.send('<Slow/>');
      });
      api.post('/json', { config: { body: 'json' } }, async ({ body }) => {
        const { words } = body as { readonly words: readonly string[] };
        if (words.length > 2) throw new ArtifactstoreError('body_too_large', 'Too many words.', { info: { bound: 'xml_words', limit: 2 } });
        return `<Words>${words.length}</Words>`;
      });
      api.put('/bytes/*', { config: { body: 'raw' } }, async (request, reply) => {
        let length = 0;
        for await (const chunk of readBody(request, limits)) length += chunk.length;
        return reply.code(201).send(`<Length>${length}</Length>`);
      });
    },
  };
}
