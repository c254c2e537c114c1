import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import { deferContinue } from '../../http/body.ts';
import { followConnections } from '../../http/connections.ts';
import { hostCheck } from '../../http/host.ts';
import { defaultLimits, type Limits } from '../../http/limits.ts';
import type { Log } from '../../http/log.ts';
import { takeTurns } from '../../http/turns.ts';
import { letGoUnread } from '../../http/unread.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { admitConnections } from './admission.ts';
import { anonymousActor, type BearerToken, createAuthenticator } from './auth.ts';
import { concealTokens } from './conceal.ts';
import { guardRequests } from './guard.ts';
import { createHealthReader } from './health.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { type PrefixOptions, prefixLocations, withoutBasePath } from './prefix.ts';
import { toProblem } from './problem.ts';
import type { Api, RouteContext } from './route.ts';
import { eventRoutes } from './routes/events.ts';
import { fileRoutes } from './routes/files.ts';
import { metadataSchemaRoutes } from './routes/metadata-schemas.ts';
import { objectRoutes } from './routes/objects.ts';
import { packageRoutes } from './routes/packages.ts';
import { retentionRoutes } from './routes/retention.ts';
import { retentionClassRoutes } from './routes/retention-classes.ts';
import { systemRoutes } from './routes/system.ts';
import { usageRoutes } from './routes/usage.ts';
import { sendProblem } from './send.ts';
import { compileValidator, queryText } from './validation.ts';

export interface ServerParts {
  /** `principal` is for whom, where several share an actor. */
  registryFor(actor: string, principal?: string): Registry;
  readonly tokens: readonly BearerToken[];
  /** Opens reads, and reads only, to callers without a token. */
  readonly anonymousRead: boolean;
  readonly version: string;
  readonly log: Log;
  /** Whether probes that were answered well are in the log, as other requests are; yes where absent. */
  readonly logProbes?: boolean;
  /** None, and nobody is believed, where absent. */
  readonly prefix?: PrefixOptions;
  /** By which names requests may ask for it, see `http/host.ts`; none beside those of this machine where absent. */
  readonly allowedHosts?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** What `/metrics` shows; several processes behind one port give it the sum of theirs. */
  renderMetrics?(own: Metrics): Promise<string>;
}

export interface HttpDoor {
  /** Begins to listen, and tells where: `http://127.0.0.1:8000`. Port 0 lets the system choose. */
  listen(host: string, port: number): Promise<string>;
  /**
   * Stops: no new connection is taken, those without a request in flight are closed, event streams and waiting readers are let go at once, other
   * requests in flight have `limits.graceTimeout` to finish, and what is left then is cut off.
   */
  close(): Promise<void>;
  listening(): boolean;
  readonly metrics: Metrics;
  /** The OpenAPI document. */
  describe(): Readonly<Record<string, unknown>>;
}

/** The HTTP front door of a registry. */
export async function createServer(parts: ServerParts): Promise<HttpDoor> {
  const limits: Limits = { ...defaultLimits, ...parts.limits };
  const closing = new AbortController();
  const registries = new Map<string, Registry>();
  const registryFor = (actor: string, address?: string): Registry => {
    // Those without a token are as many as their addresses, of which none is kept.
    if (actor === anonymousActor) return parts.registryFor(actor, `${actor} ${address ?? ''}`);
    let registry = registries.get(actor);
    if (registry === undefined) {
      registry = parts.registryFor(actor);
      registries.set(actor, registry);
    }
    return registry;
  };
  const health = createHealthReader(registryFor('health'), parts.version);
  const own = createMetrics(health, () => registryFor('health').usage(), parts.log.droppedLines);
  const metrics: Metrics = { ...own, render: () => parts.renderMetrics?.(own) ?? own.render() };
  const prefix = parts.prefix ?? { basePath: '', trustForwardedPrefix: false };
  const log = concealTokens(parts.log.logger, parts.tokens);
  const context: RouteContext = {
    logProbes: parts.logProbes ?? true,
    limits,
    log,
    metrics,
    health,
    version: parts.version,
    closing: closing.signal,
  };

  const api: Api = fastify({
    logger: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    requestTimeout: 0,
    connectionTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeout,
    requestIdHeader: false,
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : randomUUID();
    },
    routerOptions: {
      maxParamLength: limits.headerBytes,
      querystringParser: (text) => ({ [queryText]: text }),
    },
    rewriteUrl: (raw) => withoutBasePath(originForm(raw.url ?? '/'), prefix.basePath),
    http: {
      maxHeaderSize: limits.headerBytes,
      // Refused in words, by the guard.
      requireHostHeader: false,
      headersTimeout: limits.headersTimeout,
      connectionsCheckingInterval: limits.headersCheckInterval,
      keepAliveTimeoutBuffer: 0,
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return void socket.destroy();
      const answer = clientError(error.code);
      log.info({ request_id: answer.request_id, status: answer.status, code: answer.code }, 'a request was not understood');
      const text = JSON.stringify(answer);
      socket.end(
        `HTTP/1.1 ${answer.status} ${answer.title}\r\ncontent-type: application/problem+json\r\nx-request-id: ${answer.request_id}\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
      );
    },
    frameworkErrors: (_error, request, reply) => {
      sendProblem(request, reply, new ArtifactstoreError('invalid_path', 'The URL has a percent escape that is malformed or not UTF-8.'));
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  api.setValidatorCompiler(compileValidator);
  api.setSerializerCompiler(() => (data) => JSON.stringify(data));
  prefixLocations(api, prefix);
  guardRequests(api, context, {
    authenticate: createAuthenticator(parts),
    registryFor,
    checkHost: hostCheck(api.server, parts.allowedHosts ?? []),
  });
  await describeApi(api, parts.version);
  packageRoutes(api, context);
  fileRoutes(api, context);
  objectRoutes(api, context);
  eventRoutes(api, context);
  metadataSchemaRoutes(api, context);
  retentionRoutes(api);
  retentionClassRoutes(api);
  systemRoutes(api, context);
  usageRoutes(api);
  await api.ready();

  const server: HttpServer = api.server;
  admitConnections(
    server,
    limits,
    metrics.limited,
    (url) => withoutBasePath(originForm(url), prefix.basePath).split('?', 1)[0] === '/livez',
  );
  const endWatch = letGoUnread(server, limits, metrics.limited);
  takeTurns(server, limits, metrics.limited);
  deferContinue(server);
  const connections = followConnections(server);

  return {
    async listen(host, port) {
      // As it stands in an address: an IPv6 one has brackets there.
      await api.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port });
      const { address, family, port: actual } = server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`;
    },
    async close() {
      closing.abort(new ArtifactstoreError('cancelled', 'The server is stopping.'));
      const grace = setTimeout(() => connections.cutOff(), limits.graceTimeout);
      connections.letGo();
      try {
        await api.close();
      } finally {
        clearTimeout(grace);
        endWatch();
      }
    },
    listening: () => server.listening,
    metrics,
    describe: () => api.swagger() as unknown as Readonly<Record<string, unknown>>,
  };
}

/** A request target with scheme and host (RFC 9112 section 3.2.2) means its path. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  return /^https?:\/\/[^/?#]*(\/.*)?$/i.exec(url)?.[1] ?? url;
}

/** What the HTTP parser refuses never becomes a request. */
function clientError(code: string): ReturnType<typeof toProblem> {
  const id = randomUUID();
  if (code === 'HPE_HEADER_OVERFLOW') return toProblem(new ArtifactstoreError('headers_too_large', 'The headers are too large.'), id);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return toProblem(new ArtifactstoreError('request_timeout', 'The headers took too long to arrive.'), id);
  if (code === 'HPE_INVALID_URL')
    return toProblem(
      new ArtifactstoreError(
        'malformed_request',
        'The URL has a character that must be percent-encoded, as UTF-8: "ü" is %C3%BC. For a query curl does it with -G --data-urlencode.',
      ),
      id,
    );
  return toProblem(new ArtifactstoreError('malformed_request', 'This is not well-formed HTTP/1.1.'), id);
}
