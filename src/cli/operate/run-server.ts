import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { BearerToken, Config } from '../../config/config.ts';
import { createServer, type HttpDoor } from '../../doors/rest/server.ts';
import { createLog, type Log } from '../../http/log.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Autorun } from '../../registry/upkeep/OPERATOR.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { createSharedMetrics } from '../../serve/merge-metrics.ts';
import { releaseStartMemory } from '../../serve/start-memory.ts';
import { superviseWorkers } from '../../serve/supervise.ts';
import { leaveParent, parentAsksToStop, tellParent } from '../../serve/worker.ts';
import type { Context, OpenStore } from '../context.ts';
import { exitCode, exitCodeOf } from '../exit.ts';

/** For what is left when requests have had their time: clean-up, the end of a transaction, the log. */
const afterGraceMilliseconds = 5_000;

export interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly workers: number;
  readonly acceptClock?: boolean;
}

/**
 * `serve`: one process, or several behind one port, until a signal ends it. What a worker fails with is said by the
 * first process.
 */
export async function runServer(context: () => Context, options: ServeOptions): Promise<void> {
  try {
    const given = context();
    const log = createLog({ level: given.config.logLevel });
    try {
      await serveOrSupervise(given, options, log);
    } finally {
      await log.flush();
    }
  } catch (error) {
    if (await tellParent(error)) process.exit(exitCodeOf(error));
    throw error;
  } finally {
    leaveParent();
  }
}

async function serveOrSupervise(context: Context, options: ServeOptions, log: Log): Promise<void> {
  const { config } = context;
  if (options.workers > 1 && cluster.isPrimary) {
    // Once, before many would want to.
    await using store = await openForServing(context, log.logger);
    await store.close();
    warnOfConfiguration(config, log.logger);
    return await superviseWorkers(options.workers, log, graceOf(config) + 2 * afterGraceMilliseconds);
  }
  await using store = await openForServing(context, log.logger);
  if (options.acceptClock === true) store.operator.acceptClock();
  if (cluster.isPrimary) warnOfConfiguration(config, log.logger);
  await serveUntilStopped(context, store, {
    host: options.host ?? config.host,
    port: options.port ?? config.port,
    tokens: config.tokens,
    log,
    onListening: (url) => {
      if (cluster.isPrimary) log.logger.info({ url, version: context.version }, 'listening');
    },
  });
}

export interface Serving {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly BearerToken[];
  readonly log: Log;
  onListening(url: string): void;
}

/** Serves the store until a signal comes; then requests under way are finished. */
export async function serveUntilStopped(context: Context, store: OpenStore, serving: Serving): Promise<void> {
  using stop = stopOnSignal();
  // Before anything else listens to the first process: what it says to nobody is kept for the first who listens.
  const parentAsks = parentAsksToStop();
  const shared = cluster.isWorker ? createSharedMetrics() : undefined;
  const server = await createServer({
    registryFor: store.as,
    tokens: serving.tokens,
    anonymousRead: context.config.anonymousRead,
    version: context.version,
    log: serving.log,
    logProbes: context.config.logProbes,
    allowedHosts: context.config.allowedHosts,
    prefix: { basePath: context.config.basePath, trustForwardedPrefix: context.config.trustForwardedPrefix },
    limits: {
      graceTimeout: graceOf(context.config),
      connections: context.config.maxConnections,
      requestsOfOne: context.config.maxRequestsPerCaller,
      streamsOfOne: context.config.maxStreamsPerCaller,
      bufferedBytes: context.config.maxBufferedBytes,
      filesPerRequest: context.config.maxFilesPerRequest,
      uploadBytesPerSecond: context.config.minUploadBytesPerSecond,
    },
    ...(shared === undefined ? {} : { renderMetrics: shared.renderMetrics }),
  });
  shared?.share(server.metrics);
  let autorun: Autorun | undefined;
  try {
    releaseStartMemory();
    serving.onListening(await listen(server, serving));
    autorun = startAutorun(context.config, store, serving.log.logger);
    await Promise.race([stop.asked, parentAsks]);
    endAnyway(graceOf(context.config) + afterGraceMilliseconds, serving.log);
  } finally {
    await Promise.all([autorun?.stop(), server.close()]);
  }
}

/** Machines and containers that start together do not do so in order. */
const databaseWaitMilliseconds = 60_000;

/** Opens the store; an embedded database is migrated, a shared one must have been and is waited for. */
export async function openForServing(context: Context, log: Logger): Promise<OpenStore> {
  const store = await context.openStore(context.config, {
    migrate: context.config.database.kind === 'sqlite',
    waitForDatabase: {
      milliseconds: databaseWaitMilliseconds,
      onWaiting: (reason) => log.warn({ reason, longest_seconds: databaseWaitMilliseconds / 1000 }, 'waiting for the database'),
    },
    onIncident: ({ kind, message, error, detail }) => log.error({ ...detail, incident: kind, err: error }, message),
  });
  try {
    // The first look at the tables says whether they are there.
    await store.as('serve').packages.list({ limit: 1 });
    // The others serve, and these do as soon as they can be used.
    for (const unusable of await store.operator.claimStorage()) log.error(unusable, 'a storage backend cannot be used now');
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Every worker starts it: a lease lets one of all processes run at a time. */
function startAutorun({ retention }: Config, store: OpenStore, log: Logger): Autorun | undefined {
  if (!retention.autorun) return undefined;
  return store.operator.autorun({
    intervalSeconds: retention.sweepIntervalSeconds,
    onRun: ({ swept, collected }) => {
      const { abandoned_package_ids, collected_package_ids, backends, ...counts } = collected;
      log.info(
        {
          marked_packages: swept.marked_count,
          abandoned_packages: abandoned_package_ids.length,
          collected_packages: collected_package_ids.length,
          ...counts,
          backends,
        },
        'the retention run is done',
      );
    },
  });
}

async function listen(server: HttpDoor, { host, port }: Serving): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? undefined : listenFailures[code];
    if (reason === undefined) throw error;
    throw new ArtifactstoreError('invalid_configuration', `Can't listen on ${host}, port ${port}: ${reason}.`, {
      info: { hint: 'choose another with --host and --port' },
      cause: error,
    });
  }
}

const listenFailures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'it is not permitted',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

/** What still waits for a database or a store that does not answer, after all its time, is not waited for. */
function endAnyway(milliseconds: number, log: Log): void {
  const end = async (): Promise<void> => {
    log.logger.error('the server did not stop in time, and ends with work unfinished');
    await log.flush();
    process.exit(exitCode.failed);
  };
  setTimeout(() => void end(), milliseconds).unref();
}

function graceOf(config: Config): number {
  return config.shutdownGraceSeconds * 1000;
}

function warnOfConfiguration(config: Config, log: Logger): void {
  if (config.tokens.length === 0)
    log.warn(
      `no tokens are configured, so every ${config.anonymousRead ? 'write' : 'protected route'} answers 401: set ARTIFACTSTORE_AUTH_TOKENS`,
    );
}
