import type { FastifyRequest } from 'fastify';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Api } from './api.ts';
import { essence, hasBody, readJson } from './body.ts';
import type { EngineContext } from './context.ts';

/** Takes the bodies of a door's requests as its routes say; what they do not say is refused. */
export function takeBodies(scope: Api, context: EngineContext): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (request, _payload, done) => {
    if (request.is404) return done(null, undefined);
    request.memory.keep(() => takeBody(context, request)).then((body) => done(null, body), done);
  });
  // Whoever sends a body and leaves does not get its memory back while that is still worked on.
  scope.addHook('onRoute', (route) => {
    const { handler } = route;
    if (route.config?.body !== undefined)
      route.handler = function (request, reply) {
        return request.memory.keep(async () => await handler.call(this, request, reply));
      };
  });
  // Without a body there is no parser, and yet a route may take that for an empty object.
  scope.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined && request.routeOptions.config.body === 'json-or-empty') request.body = {};
    done();
  });
}

async function takeBody(context: EngineContext, request: FastifyRequest): Promise<unknown> {
  const { body, rawTypes = [], jsonBytes } = request.routeOptions.config;
  const type = essence(request.raw.headers['content-type']);
  if (body === undefined || body === 'raw') return undefined;
  if (type !== undefined && rawTypes.includes(type)) return undefined;
  if (body === 'json-or-empty' && !hasBody(request.raw)) return {};
  if (type !== 'application/json')
    throw new ArtifactstoreError('unsupported_media_type', `This route takes ${inWords(['application/json', ...rawTypes])}.`, {
      field: 'content-type',
    });
  return readJson(request, jsonBytes ?? context.limits.jsonBytes, context.limits, request.memory, context.jsonTurns);
}

function inWords(types: readonly string[]): string {
  return [types.slice(0, -1).join(', '), types.at(-1)].filter((part) => part !== '').join(' or ');
}
