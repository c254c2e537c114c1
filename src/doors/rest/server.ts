import { randomUUID } from 'node:crypto';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import { deferContinue } from '../../http/body.ts';
import { followConnections } from '../../http/connections.ts';
import { hostCheck } from '../../http/host.ts';
import { defaultLimits, type Limits } from '../../http/limits.ts';
import { type ListenerBeside, listenBeside } from '../../http/listen-beside.ts';
import type { Log } from '../../http/log.ts';
import { createMemory } from '../../http/memory.ts';
import { createShares } from '../../http/shares.ts';
import { takeTurns } from '../../http/turns.ts';
import { letGoUnread, type Unread } from '../../http/unread.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { createFairTurns } from '../../runtime/fair-turns.ts';
import { keepRecent } from '../../runtime/keep-recent.ts';
import { admitConnections } from './admission.ts';
import { anonymousActor, type BearerToken, createAuthenticator } from './auth.ts';
import { createLimited } from './bounds.ts';
import { concealTokens } from './conceal.ts';
import { alwaysHeard, guardRequests } from './guard.ts';
import { createHealthReader } from './health.ts';
import { takeListTurns } from './list-turns.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { answerNotUnderstood } from './not-understood.ts';
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
  /**
   * Begins to listen, and tells where: `http://127.0.0.1:8000`. Port 0 lets the system choose. `localhost` is
   * 127.0.0.1, and ::1 where the machine has it.
   */
  listen(host: string, port: number): Promise<string>;
  /**
   * Stops: no new connection is taken, those without a request in flight are closed, event streams and waiting readers
   * are closed at once, other requests in flight have `limits.graceTimeout` to finish, and what is left then is cut
   * off.
   */
  close(): Promise<void>;
  listening(): boolean;
  readonly metrics: Metrics;
  /** The OpenAPI document. */
  describe(): Readonly<Record<string, unknown>>;
}

/** Principals whose registry is kept for their next request. */
const keptRegistries = 1_000;

/** The HTTP front door of a registry. */
export async function createServer(parts: ServerParts): Promise<HttpDoor> {
  const limits: Limits = { ...defaultLimits, ...parts.limits };
  const closing = new AbortController();
  const registries = keepRecent<Registry>(keptRegistries);
  const registryFor = (actor: string, address?: string): Registry => {
    // Those without a token are as many as their addresses.
    const principal = actor === anonymousActor ? `${actor} ${address ?? ''}` : actor;
    return registries.get(principal, () => parts.registryFor(actor, principal));
  };
  const health = createHealthReader(registryFor('health'), parts.version);
  const own = createMetrics(health, () => registryFor('health').usage(), parts.log.droppedLines);
  const metrics: Metrics = { ...own, render: () => parts.renderMetrics?.(own) ?? own.render() };
  const prefix = parts.prefix ?? { basePath: '', trustForwardedPrefix: false };
  const log = concealTokens(parts.log.logger, parts.tokens);
  const context: RouteContext = {
    logProbes: parts.logProbes ?? true,
    limits,
    memory: createMemory(limits),
    shares: createShares(limits),
    limited: createLimited(metrics.limited, log),
    log,
    metrics,
    health,
    listTurns: createFairTurns({ what: 'lists', room: 2, waitingOfOne: 1_000, waitMilliseconds: 30_000 }),
    jsonTurns: createFairTurns({ what: 'long JSON bodies', room: 1, waitingOfOne: 1_000, waitMilliseconds: 30_000 }),
    version: parts.version,
    closing: closing.signal,
  };

  const notUnderstood = answerNotUnderstood(log, context.limited);

  const api: Api = fastify({
    logger: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    requestTimeout: 0,
    connectionTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeout,
    requestIdHeader: false,
    genReqId: requestId,
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
    clientErrorHandler: notUnderstood.refuse,
    frameworkErrors: (_error, request, reply) => {
      // No hook of ours has seen it, nor has it an id.
      Object.assign(request, { id: requestId(request.raw) });
      reply.header('x-request-id', request.id);
      const error = new ArtifactstoreError('invalid_path', 'The URL has a percent escape that is malformed or not UTF-8.');
      notUnderstood.note(toProblem(error, request.id));
      sendProblem(request, reply, error);
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
  let unread: Unread | undefined;
  takeListTurns(api, context.listTurns, () => unread?.look());
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
  admitConnections(server, limits, context.limited, (url) =>
    alwaysHeard.has(withoutBasePath(originForm(url), prefix.basePath).split('?', 1)[0] ?? ''),
  );
  unread = letGoUnread(server, limits, context.limited);
  takeTurns(server, limits, context.limited);
  notUnderstood.watch(server);
  deferContinue(server);
  const connections = followConnections(server);
  let beside: ListenerBeside | undefined;

  return {
    async listen(host, port) {
      // Given its name, Fastify would open a second HTTP server, for which nothing of the above holds.
      const local = host.toLowerCase() === 'localhost';
      // As it stands in an address: an IPv6 one has brackets there.
      await api.listen({ host: local ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1'), port });
      const { address, family, port: actual } = server.address() as AddressInfo;
      if (local)
        beside = await listenBeside(server, '::1', actual).catch((error: NodeJS.ErrnoException) => {
          const fields = { address: `[::1]:${actual}`, error_code: error.code };
          if (!noSuchAddress.has(error.code ?? '')) log.warn(fields, 'localhost is answered at 127.0.0.1 only');
          return undefined;
        });
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`;
    },
    async close() {
      closing.abort(new ArtifactstoreError('cancelled', 'The server is stopping.'));
      const grace = setTimeout(() => connections.cutOff() && context.limited('grace_timeout'), limits.graceTimeout);
      connections.letGo();
      try {
        await Promise.all([api.close(), beside?.close()]);
      } finally {
        clearTimeout(grace);
        unread?.end();
      }
    },
    listening: () => server.listening,
    metrics,
    describe: () => api.swagger() as unknown as Readonly<Record<string, unknown>>,
  };
}

/** The machine has no IPv6. */
const noSuchAddress: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** A request target with scheme and host (RFC 9112 section 3.2.2) means its path. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  return /^https?:\/\/[^/?#]*(\/.*)?$/i.exec(url)?.[1] ?? url;
}

/** The caller's own, where it is fit for a log. */
function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : randomUUID();
}
