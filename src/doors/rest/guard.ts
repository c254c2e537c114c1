import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { essence, hasBody, readJson, refuseFraming } from '../../http/body.ts';
import { requireOneHost, requirePath } from '../../http/host.ts';
import type { MemoryAccount } from '../../http/memory.ts';
import { principalOf } from '../../http/shares.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { type Access, anonymousActor } from './auth.ts';
import { isLimitName, shortenedBy } from './bounds.ts';
import { problems } from './problem.ts';
import type { Api, RouteContext } from './route.ts';
import { sendProblem } from './send.ts';

export interface RequestChecks {
  authenticate(authorization: string | undefined, access: Access): string;
  registryFor(actor: string, address: string | undefined): Registry;
  checkHost(request: IncomingMessage): void;
}

/**
 * What holds for every request, whatever its route: who asks, the id it is found by, what body it may bring, the answer
 * when something is wrong, and the line in the log. Put before the routes.
 */
export function guardRequests(api: Api, context: RouteContext, { authenticate, registryFor, checkHost }: RequestChecks): void {
  const routes: { readonly methods: readonly string[]; readonly pattern: RegExp }[] = [];

  api.decorateRequest('actor', anonymousActor);
  api.decorateRequest('registry', null as unknown as Registry);
  api.decorateRequest('principal', '');
  api.decorateRequest('memory', null as unknown as MemoryAccount);
  api.decorateRequest('leaving', null as unknown as (() => void)[]);
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
      const { remoteAddress } = request.raw.socket;
      request.principal = principalOf(request.actor === anonymousActor ? undefined : request.actor, remoteAddress);
      request.registry = registryFor(request.actor, remoteAddress);
      takeShare(context, request);
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
  api.addHook('preHandler', (request, reply, done) => {
    try {
      if (staysOpen(request)) {
        const leave = context.shares.enter('streams_of_one', request.principal);
        request.leaving.push(leave);
        // Whoever has gone meanwhile is not heard of again.
        if (reply.raw.closed) leave();
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  api.addHook('preSerialization', (request, _reply, payload, done) => {
    for (const limit of shortenedBy(request, payload)) context.limited(limit);
    done(null, payload);
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
    if (known instanceof ArtifactstoreError && isLimitName(known.info?.bound)) context.limited(known.info.bound);
    const fields = { request_id: request.id, route: request.routeOptions.url, err: known };
    if (status === 500) context.log.error(fields, 'a request failed');
    else if (status > 500) context.log.warn(fields, 'a request could not be answered');
    else context.log.debug(fields, 'a request was refused');
    sendProblem(request, reply, known);
  });
}

/** What is answered whoever asks how much: whether the server is well can always be asked. */
export const alwaysHeard: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

/** The share of whoever asks, until the answer's end. */
function takeShare({ shares, memory }: RouteContext, request: FastifyRequest): void {
  const account = memory.open(request.principal);
  request.memory = account;
  request.leaving.push(account.give);
  if (!alwaysHeard.has(request.routeOptions.url ?? '')) request.leaving.push(shares.enter('requests_of_one', request.principal));
}

/** An upload, or a reader that waits for what comes. */
function staysOpen(request: FastifyRequest): boolean {
  const { body, waits } = request.routeOptions.config;
  const streamed = body === 'raw' || (body === 'json-or-files' && essence(request.raw.headers['content-type']) !== 'application/json');
  return streamed || waits?.(request) === true;
}

/** What monitors ask for every few seconds. */
const probes: ReadonlySet<string> = new Set(['/livez', '/readyz', '/health', '/metrics']);

/**
 * Counts the request and, once it is answered or lost, writes its line. The query is left out: it is the caller's, and
 * may hold anything.
 */
function observe(context: RouteContext, request: FastifyRequest, reply: FastifyReply): void {
  const begun = performance.now();
  const end = context.metrics.begin();
  request.leaving = [];
  reply.raw.once('close', () => {
    for (const leave of request.leaving) leave();
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
  return readJson(request, jsonBytes ?? context.limits.jsonBytes, context.limits, request.memory, context.jsonTurns);
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
