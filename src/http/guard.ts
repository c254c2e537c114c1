import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../kernel/access.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { Api } from './api.ts';
import { essence, refuseFraming } from './body.ts';
import type { EngineContext } from './context.ts';
import type { Door } from './door.ts';
import { requireOneHost, requirePath } from './host.ts';
import { limitOf } from './limited.ts';
import type { MemoryAccount } from './memory.ts';
import { observe } from './observe.ts';
import { sendRefusal } from './send.ts';
import { takeBodies } from './take-body.ts';
import { refuseUrlSecrets } from './url-secrets.ts';
import { whenClosed } from './when-closed.ts';

/** What every request has, before doors are opened. */
export function decorateRequests(api: Api): void {
  api.decorateRequest('principal', null as unknown as Principal);
  api.decorateRequest('memory', null as unknown as MemoryAccount);
  api.decorateRequest('pathIsSecret', false);
  api.decorateRequest('bytesIn', 0);
  api.decorateRequest('bytesOut', 0);
}

/** What is asked of every request, whichever door it comes to. */
export interface Checks {
  /** Throws where the server does not answer for the host. */
  checkHost(request: IncomingMessage): void;
  isToken(word: string): boolean;
  /** Whether it was a browser that asks what a page may do; what the answer needs is set. */
  answersBrowser(request: IncomingMessage, response: ServerResponse): boolean;
}

/**
 * What holds for every request of a door, whatever its route: who asks, what body it may bring, the answer when
 * something is wrong, and the line in the log. Put before the door's routes.
 */
export function guardRequests(scope: Api, context: EngineContext, door: Door, { checkHost, isToken, answersBrowser }: Checks): void {
  const routes: { readonly methods: readonly string[]; readonly pattern: RegExp }[] = [];

  scope.addHook('onRoute', (route) => {
    // What requests of one kind alone may do is nothing that others are told.
    if (route.constraints !== undefined) return;
    routes.push({ methods: [route.method].flat(), pattern: toPattern(route.url) });
  });

  scope.addHook('onRequest', (request, reply, done) => {
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
      refuseUrlSecrets(request.originalUrl, { isToken, namesFiles: request.routeOptions.url?.endsWith('*') === true });
    } catch (error) {
      request.pathIsSecret = true;
      return done(error as Error);
    }
    if (answersBrowser(request.raw, reply.raw)) return void reply.code(204).send();
    try {
      if (request.is404) return done();
      refuseFraming(request.raw);
      const asking = door.identify(request);
      if (asking instanceof Promise) return void asking.then((principal) => letIn(context, request, reply, principal, done), done);
      letIn(context, request, reply, asking, done);
    } catch (error) {
      done(error as Error);
    }
  });

  takeBodies(scope, context);
  scope.addHook('preHandler', (request, reply, done) => {
    try {
      if (staysOpen(request)) {
        whenClosed(reply.raw, context.shares.enter('streams_of_one', request.principal.share));
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  });

  const refuseRoute = (request: FastifyRequest, reply: FastifyReply): void => {
    const path = request.raw.url?.split('?', 1)[0] ?? '/';
    const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
    // A folder of files takes a method and yet may not have the file.
    const isUnknown = allowed.length === 0 || allowed.includes(request.method);
    if (!isUnknown) reply.header('allow', allowed.join(', '));
    const error = isUnknown
      ? door.unknownRoute(request)
      : new ArtifactstoreError('method_not_allowed', `${request.method} is not allowed here.`);
    sendRefusal(request, reply, door.refuse(error, request.id, request.raw));
  };
  scope.setNotFoundHandler(refuseRoute);

  scope.setErrorHandler((error, request, reply) => {
    // What the framework finds wrong with a request that no route takes is not what the caller has to know.
    if (request.is404 && !(error instanceof ArtifactstoreError)) return refuseRoute(request, reply);
    const known = asKnown(error);
    const refusal = door.refuse(known, request.id, request.raw);
    const limit = limitOf(known);
    if (limit !== undefined) context.limited(limit);
    const fields = { request_id: request.id, route: request.routeOptions.url, err: known };
    if (reply.raw.closed && isArtifactstoreError(known, 'cancelled')) context.log.info(fields, 'the client left before it was answered');
    else if (refusal.status === 500) context.log.error(fields, 'a request failed');
    else if (refusal.status > 500) context.log.warn(fields, 'a request could not be answered');
    else context.log.debug(fields, 'a request was refused');
    sendRefusal(request, reply, refusal);
  });
}

function letIn(
  context: EngineContext,
  request: FastifyRequest,
  reply: FastifyReply,
  principal: Principal,
  done: (error?: Error) => void,
): void {
  try {
    request.principal = principal;
    takeShare(context, request, reply);
    done();
  } catch (error) {
    done(error as Error);
  }
}

/** The share of whoever asks, until the answer's end. */
function takeShare({ shares, memory }: EngineContext, request: FastifyRequest, { raw: response }: FastifyReply): void {
  const account = memory.open(request.principal.share);
  request.memory = account;
  whenClosed(response, account.give);
  if (request.routeOptions.config.alwaysHeard !== true) whenClosed(response, shares.enter('requests_of_one', request.principal.share));
}

/** An upload, or a reader that waits for what comes. */
function staysOpen(request: FastifyRequest): boolean {
  const { body, rawTypes, waits } = request.routeOptions.config;
  const streamed = body === 'raw' || (rawTypes !== undefined && essence(request.raw.headers['content-type']) !== 'application/json');
  return streamed || waits?.(request) === true;
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
