import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { essence, hasBody, readJson, refuseFraming } from '../../http/body.ts';
import { requireOneHost, requirePath } from '../../http/host.ts';
import { limitNames } from '../../http/limits.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { type Access, anonymousActor } from './auth.ts';
import { problems } from './problem.ts';
import type { Api, RouteContext } from './route.ts';
import { sendProblem } from './send.ts';

export interface RequestChecks {
  authenticate(authorization: string | undefined, access: Access): string;
  registryFor(actor: string, address: string | undefined): Registry;
  checkHost(request: IncomingMessage): void;
}

/**
 * What holds for every request, whatever its route: who asks, the id it is found by, what body it may bring, the answer when something is wrong, and the
 * line in the log. Put before the routes.
 */
export function guardRequests(api: Api, context: RouteContext, { authenticate, registryFor, checkHost }: RequestChecks): void {
  const routes: { readonly methods: readonly string[]; readonly pattern: RegExp }[] = [];

  api.decorateRequest('actor', anonymousActor);
  api.decorateRequest('registry', null as unknown as Registry);
  api.decorateRequest('bytesIn', 0);
  api.decorateRequest('bytesOut', 0);

  api.addHook('onRoute', (route) => {
    const methods = [route.method].flat();
    routes.push({ methods, pattern: toPattern(route.url) });
    const docs = route.url.startsWith('/docs');
    const access: Access | undefined = route.config?.access ?? (docs ? 'anonymous' : undefined);
    if (access === undefined) throw new Error(`The route ${route.url} does not say what it asks of its caller.`);
    route.config = { ...route.config, access };
    // A route that takes no parameters refuses every one of them.
    if (!docs) route.schema = { querystring: { type: 'object', properties: {} }, ...route.schema };
  });

  api.addHook('onRequest', (request, reply, done) => {
    observe(context, request, reply);
    reply.header('x-request-id', request.id);
    try {
      requireOneHost(request.raw);
      requirePath(request.originalUrl);
      checkHost(request.raw);
    } catch (error) {
      // Whatever stands between has another idea of where requests begin and go.
      reply.header('connection', 'close');
      return done(error as Error);
    }
    try {
      if (request.is404) return done();
      refuseFraming(request.raw);
      request.actor = authenticate(request.raw.headers.authorization, request.routeOptions.config.access ?? 'write');
      request.registry = registryFor(request.actor, request.raw.socket.remoteAddress);
      const { id, hold_id } = request.params as { readonly id?: string; readonly hold_id?: string };
      if (id !== undefined) parseId(id, 'id');
      if (hold_id !== undefined) parseId(hold_id, 'hold_id');
      done();
    } catch (error) {
      done(error as Error);
    }
  });

  api.removeAllContentTypeParsers();
  api.addContentTypeParser('*', (request, _payload, done) => {
    takeBody(context, request).then((body) => done(null, body), done);
  });
  // Without a body there is no parser, and yet a route may take that for an empty object.
  api.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined && request.routeOptions.config.body === 'json-or-empty') request.body = {};
    done();
  });

  const refuseRoute = (request: FastifyRequest, reply: FastifyReply): void => {
    const path = request.raw.url?.split('?', 1)[0] ?? '/';
    const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
    // A folder of files takes a method and yet may not have the file.
    const isUnknown = allowed.length === 0 || allowed.includes(request.method);
    if (!isUnknown) reply.header('allow', allowed.join(', '));
    const error = isUnknown
      ? new ArtifactstoreError('route_not_found', `There is no such route; see ${request.prefix}/docs/.`)
      : new ArtifactstoreError('method_not_allowed', `${request.method} is not allowed here.`);
    sendProblem(request, reply, error);
  };
  api.setNotFoundHandler(refuseRoute);

  api.setErrorHandler((error, request, reply) => {
    // What the framework finds wrong with a request that no route takes is not what the caller has to know.
    if (request.is404 && !(error instanceof ArtifactstoreError)) return refuseRoute(request, reply);
    const known = asKnown(error);
    const status = known instanceof ArtifactstoreError ? problems[known.code][0] : 500;
    const limit = known instanceof ArtifactstoreError ? limitNames.find((name) => name === known.info?.bound) : undefined;
    if (limit !== undefined) context.metrics.limited(limit);
    const fields = { request_id: request.id, route: request.routeOptions.url, err: known };
    if (status === 500) context.log.error(fields, 'a request failed');
    else if (status > 500) context.log.warn(fields, 'a request could not be answered');
    else context.log.debug(fields, 'a request was refused');
    sendProblem(request, reply, known);
  });
}

/** What monitors ask for every few seconds. */
const probes: ReadonlySet<string> = new Set(['/livez', '/readyz', '/health', '/metrics']);

/** Counts the request and, once it is answered or lost, writes its line. The query is left out: it is the caller's, and may hold anything. */
function observe(context: RouteContext, request: FastifyRequest, reply: FastifyReply): void {
  const begun = performance.now();
  const end = context.metrics.begin();
  reply.raw.once('close', () => {
    const milliseconds = performance.now() - begun;
    const route = request.routeOptions.url ?? 'none';
    const bytesOut = request.bytesOut || Number(reply.getHeader('content-length') ?? 0);
    const status = reply.raw.statusCode;
    end({ route, method: request.method, status, seconds: milliseconds / 1000, bytesIn: request.bytesIn, bytesOut });
    const quiet = !context.logProbes && status < 400 && probes.has(route);
    context.log[quiet ? 'debug' : 'info'](
      {
        request_id: request.id,
        method: request.method,
        path: request.raw.url?.split('?', 1)[0],
        route,
        status,
        actor: request.actor,
        bytes_in: request.bytesIn,
        bytes_out: bytesOut,
        milliseconds: Math.round(milliseconds * 100) / 100,
        ...(reply.raw.writableFinished ? {} : { unfinished: true }),
      },
      'request',
    );
  });
}

async function takeBody(context: RouteContext, request: FastifyRequest): Promise<unknown> {
  const { body, jsonBytes } = request.routeOptions.config;
  const type = essence(request.raw.headers['content-type']);
  if (request.is404 || body === undefined || body === 'raw') return undefined;
  if (body === 'json-or-files' && (type === 'multipart/form-data' || type === 'application/x-tar')) return undefined;
  if (body === 'json-or-empty' && !hasBody(request.raw)) return {};
  if (type !== 'application/json')
    throw new ArtifactstoreError(
      'unsupported_media_type',
      body === 'json-or-files'
        ? 'This route takes application/json, multipart/form-data or application/x-tar.'
        : 'This route takes application/json.',
      { field: 'content-type' },
    );
  return readJson(request, jsonBytes ?? context.limits.jsonBytes, context.limits);
}

/** What the framework refuses, in our words. */
function asKnown(error: unknown): unknown {
  if (error instanceof ArtifactstoreError || !(error instanceof Error)) return error;
  const { statusCode } = error as { readonly statusCode?: number };
  if (statusCode === 415)
    return new ArtifactstoreError('unsupported_media_type', 'The content type is not a media type.', { field: 'content-type' });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new ArtifactstoreError('malformed_request', 'The request is malformed.');
  return error;
}

function toPattern(url: string): RegExp {
  const source = url
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:[a-z_]+/g, '[^/]+')
    .replaceAll('*', '.*');
  return new RegExp(`^${source}$`, 's');
}
