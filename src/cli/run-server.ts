import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { BearerToken, Config } from '../config.ts';
import { createLog } from '../http/log.ts';
import { createServer, type HttpDoor } from '../http/server.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Autorun } from '../registry/operator.ts';
import type { Context, OpenStore } from './context.ts';
import { createSharedMetrics } from './merge-metrics.ts';
import { releaseStartMemory } from './start-memory.ts';
import { stopOnSignal } from './stop.ts';
import { superviseWorkers } from './supervise.ts';

export interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly workers: number;
}

/** `serve`: one process, or several behind one port, until a signal ends it. */
export async function runServer(context: Context, options: ServeOptions): Promise<void> {
  const { config } = context;
  const log = createLog({ level: config.logLevel });
  if (options.workers > 1 && cluster.isPrimary) {
    // Once, before many would want to.
    await using store = await openForServing(context, log);
    await store.close();
    warnOfConfiguration(config, log);
    return await superviseWorkers(options.workers, log);
  }
  await using store = await openForServing(context, log);
  if (cluster.isPrimary) warnOfConfiguration(config, log);
  await serveUntilStopped(context, store, {
    host: options.host ?? config.host,
    port: options.port ?? config.port,
    tokens: config.tokens,
    logLevel: config.logLevel,
    log,
    onListening: (url) => {
      if (cluster.isPrimary) log.info({ url, version: context.version }, 'listening');
    },
  });
}

export interface Serving {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly BearerToken[];
  readonly logLevel: Config['logLevel'];
  readonly log: Logger;
  onListening(url: string): void;
}

/** Serves the store until a signal comes; then requests under way are finished. */
export async function serveUntilStopped(context: Context, store: OpenStore, serving: Serving): Promise<void> {
  using stop = stopOnSignal();
  const shared = cluster.isWorker ? createSharedMetrics() : undefined;
  const server = await createServer({
    registryFor: (actor) => store.as(actor),
    tokens: serving.tokens,
    anonymousRead: context.config.anonymousRead,
    version: context.version,
    log: { level: serving.logLevel },
    ...(shared === undefined ? {} : { renderMetrics: shared.renderMetrics }),
  });
  shared?.share(server.metrics);
  let autorun: Autorun | undefined;
  try {
    releaseStartMemory();
    serving.onListening(await listen(server, serving));
    autorun = startAutorun(context.config, store, serving.log);
    await Promise.race([stop.asked, parentGone()]);
  } finally {
    await Promise.all([autorun?.stop(), server.close()]);
  }
}

/** Opens the store; an embedded database is migrated, a shared one must have been. */
export async function openForServing(context: Context, log: Logger): Promise<OpenStore> {
  const store = await context.openStore(context.config, {
    migrate: context.config.database.kind === 'sqlite',
    onIncident: ({ message, error, detail }) => log.error({ ...detail, err: error }, message),
  });
  try {
    // The first look at the tables says whether they are there.
    await store.as('serve').packages.list({ limit: 1 });
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

/** A worker whose primary died has nobody left to stop it. */
function parentGone(): Promise<void> {
  if (!cluster.isWorker) return new Promise(() => undefined);
  return new Promise((resolve) => process.once('disconnect', resolve));
}

function warnOfConfiguration(config: Config, log: Logger): void {
  if (config.tokens.length === 0)
    log.warn(
      `no tokens are configured, so every ${config.anonymousRead ? 'write' : 'protected route'} answers 401: set ARTIFACTSTORE_AUTH_TOKENS`,
    );
}
