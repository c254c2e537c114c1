import { randomUUID } from 'node:crypto';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import type { Bound } from '../kernel/bound.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { createFairTurns } from '../runtime/fair-turns.ts';
import { admitConnections } from './admission.ts';
import { type Api, queryText } from './api.ts';
import { deferContinue } from './body.ts';
import { concealSecrets } from './conceal.ts';
import { type Connections, followConnections } from './connections.ts';
import type { EngineContext } from './context.ts';
import { createCors } from './cors.ts';
import type { Door } from './door.ts';
import { decorateRequests, guardRequests } from './guard.ts';
import { hostCheck } from './host.ts';
import { createLimited } from './limited.ts';
import { defaultLimits, httpBounds, type Limits } from './limits.ts';
import { takeListTurns } from './list-turns.ts';
import { type ListenerBeside, listenBeside } from './listen-beside.ts';
import type { Log } from './log.ts';
import { createMemory } from './memory.ts';
import { createHttpMetrics } from './metrics.ts';
import { answerNotUnderstood } from './parse-failures.ts';
import { type PrefixOptions, prefixLocations, withoutBasePath } from './prefix.ts';
import { sendRefusal } from './send.ts';
import { createShares } from './shares.ts';
import { takeTurns } from './turns.ts';
import { letGoUnread, type Unread } from './unread-answers.ts';
import { holdsJwt } from './url-secrets.ts';

export interface EngineOptions {
  readonly log: Log;
  /** What never stands in the log, wherever a caller puts it. */
  readonly secrets: readonly string[];
  /** Whether a text is a token that is not among them. */
  readonly isSecret?: (text: string) => boolean;
  /** Whether probes that were answered well are in the log, as other requests are; yes where absent. */
  readonly logProbes?: boolean;
  /** None, and nobody is believed, where absent. */
  readonly prefix?: PrefixOptions;
  /** By which names requests may ask for it, see `host.ts`; none beside those of this machine where absent. */
  readonly allowedHosts?: readonly string[];
  /** Of web pages that may use it, see `cors.ts`; none where absent. */
  readonly corsOrigins?: readonly string[];
  readonly limits?: Partial<Limits>;
}

/** An HTTP server: connections, bodies, limits and the log. What is spoken is a matter of its doors. */
export interface Engine {
  readonly context: EngineContext;
  /** Opens the doors, once and before it listens. One of them has the empty path. */
  mount(doors: readonly Door[]): Promise<void>;
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
}

export function createEngine(options: EngineOptions): Engine {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const prefix = options.prefix ?? { basePath: '', trustForwardedPrefix: false };
  const closing = new AbortController();
  const log = concealSecrets(options.log.logger, options.secrets, options.isSecret);
  const metrics = createHttpMetrics(options.log.droppedLines);
  const bounds = new Map<string, Bound>();
  const alwaysHeard = new Set<string>();
  const context: EngineContext = {
    logProbes: options.logProbes ?? true,
    limits,
    memory: createMemory(limits),
    shares: createShares(limits),
    limited: createLimited(bounds, metrics.limited, log),
    log,
    metrics,
    listTurns: createFairTurns({ what: 'lists', room: 2, waitingOfOne: 1_000, waitMilliseconds: 30_000 }),
    jsonTurns: createFairTurns({ what: 'long JSON bodies', room: 1, waitingOfOne: 1_000, waitMilliseconds: 30_000 }),
    closing: closing.signal,
  };

  let byDefault: Door | undefined;
  /** For what reaches no door. */
  const refuse: Door['refuse'] = (error, id) => byDefault!.refuse(error, id);
  const notUnderstood = answerNotUnderstood(log, limits, context.limited, refuse);

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
      const refusal = refuse(error, request.id);
      notUnderstood.note(request.id, error, refusal);
      sendRefusal(request, reply, refusal);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  const server: HttpServer = api.server;
  prefixLocations(api, prefix);
  decorateRequests(api);
  const secrets = new Set(options.secrets);
  const isToken = (word: string): boolean => secrets.has(word) || options.isSecret?.(word) === true;
  const checkHost = hostCheck(server, options.allowedHosts ?? []);
  const checks = { checkHost, isToken, answersBrowser: createCors(options.corsOrigins ?? []) };
  let connections: Connections | undefined;
  let unread: Unread | undefined;
  let beside: ListenerBeside | undefined;

  const open = async (scope: Api, door: Door): Promise<void> => {
    scope.addHook('onRoute', ({ url, config }) => void (config?.alwaysHeard === true && alwaysHeard.add(url)));
    guardRequests(scope, context, door, checks);
    takeListTurns(scope, context.listTurns, () => unread?.look());
    await door.addRoutes(scope);
  };

  return {
    context,
    async mount(doors) {
      byDefault = doors.find(({ path }) => path === '');
      if (byDefault === undefined) throw new Error('No door has the empty path.');
      for (const each of [httpBounds, ...doors.map((door) => door.bounds)])
        for (const [name, bound] of Object.entries<Bound>(each)) bounds.set(name, bound);
      metrics.know([...bounds.keys()]);
      for (const door of doors) await api.register((scope: Api) => open(scope, door), { prefix: door.path });
      await api.ready();
      admitConnections(server, limits, {
        limited: context.limited,
        refuse,
        isProbe: (url) => alwaysHeard.has(withoutBasePath(originForm(url), prefix.basePath).split('?', 1)[0] ?? ''),
      });
      unread = letGoUnread(server, limits, context.limited);
      takeTurns(server, limits, context.limited);
      notUnderstood.watch(server);
      deferContinue(server);
      connections = followConnections(server);
    },
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
      const grace = setTimeout(() => connections?.cutOff() && context.limited('grace_timeout'), limits.graceTimeout);
      connections?.letGo();
      try {
        await Promise.all([api.close(), beside?.close()]);
      } finally {
        clearTimeout(grace);
        unread?.end();
      }
    },
    listening: () => server.listening,
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
  return typeof given === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(given) && !holdsJwt(given) ? given : randomUUID();
}
