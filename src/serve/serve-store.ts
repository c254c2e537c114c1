import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { createServer } from '../doors/rest/server.ts';
import type { Log } from '../http/log.ts';
import type { Identity } from '../identity/IDENTITY.ts';
import { administrator, type Principal, type Quota } from '../kernel/access.ts';
import type { Registry } from '../registry/REGISTRY.ts';
import type { Autorun, Incident, Operator } from '../registry/upkeep/OPERATOR.ts';
import { giveBackMemory, leaveThreadsTheirLimits, releaseStartMemory } from '../runtime/heap.ts';
import { stopOnSignal } from '../runtime/stop-signals.ts';
import { listenOrSay } from './listen.ts';
import { createSharedMetrics } from './merge-metrics.ts';
import { parentAsksToStop } from './worker.ts';

/** What of the configuration a server goes by. */
export type ServerSettings = Pick<
  Config,
  | 'allowedHosts'
  | 'corsOrigins'
  | 'anonymousRead'
  | 'accessConfigPath'
  | 'basePath'
  | 'logProbes'
  | 'maxBufferedBytes'
  | 'maxConnections'
  | 'maxFilesPerRequest'
  | 'maxRequestsPerCaller'
  | 'maxStreamsPerCaller'
  | 'minUploadBytesPerSecond'
  | 'retention'
  | 'shutdownGraceSeconds'
  | 'trustForwardedPrefix'
>;

/** An open store, as far as a server uses it. */
export interface ServedStore extends AsyncDisposable {
  as(principal: Principal): Registry;
  readonly operator: Pick<Operator, 'acceptClock' | 'autorun' | 'claimStorage' | 'watchHeld'>;
  close(): Promise<void>;
}

/** How a server wants its store opened. */
export interface ServedStoreOptions {
  readonly waitForDatabase: { readonly milliseconds: number; onWaiting(reason: string): void };
  onIncident(incident: Incident): void;
  quotaOf(producer: string): Quota | undefined;
}

/** For what is left when requests have had their time: clean-up, the end of a transaction, the log. */
export const afterGraceMilliseconds = 5_000;

export interface Serving {
  readonly host: string;
  readonly port: number;
  /** Who callers are. */
  readonly identity: Identity;
  /** What never stands in the log: the tokens that are known. */
  readonly secrets: readonly string[];
  readonly version: string;
  readonly log: Log;
  onListening(url: string): void;
}

/** Serves the store until a signal comes; then requests under way are finished. */
export async function serveUntilStopped(settings: ServerSettings, store: ServedStore, serving: Serving): Promise<void> {
  using stop = stopOnSignal();
  // Before anything else listens to the first process: what it says to nobody is kept for the first who listens.
  const parentAsks = parentAsksToStop();
  const shared = cluster.isWorker ? createSharedMetrics() : undefined;
  const server = await createServer({
    registryFor: store.as,
    identity: serving.identity,
    secrets: serving.secrets,
    anonymousRead: settings.anonymousRead,
    version: serving.version,
    log: serving.log,
    logProbes: settings.logProbes,
    allowedHosts: settings.allowedHosts,
    corsOrigins: settings.corsOrigins,
    prefix: { basePath: settings.basePath, trustForwardedPrefix: settings.trustForwardedPrefix },
    limits: {
      graceTimeout: graceOf(settings),
      connections: settings.maxConnections,
      requestsOfOne: settings.maxRequestsPerCaller,
      streamsOfOne: settings.maxStreamsPerCaller,
      bufferedBytes: settings.maxBufferedBytes,
      filesPerRequest: settings.maxFilesPerRequest,
      uploadBytesPerSecond: settings.minUploadBytesPerSecond,
    },
    ...(shared === undefined ? {} : { renderMetrics: shared.renderMetrics }),
  });
  shared?.share(server.metrics);
  let autorun: Autorun | undefined;
  let endGivingBack: (() => void) | undefined;
  try {
    releaseStartMemory();
    endGivingBack = giveBackMemory(largeHeapBytes);
    serving.onListening(await listenOrSay(server, serving.host, serving.port));
    autorun = startAutorun(settings, store, serving.log.logger);
    store.operator.watchHeld();
    await Promise.race([stop.asked, parentAsks]);
    endAnyway(graceOf(settings) + afterGraceMilliseconds, serving.log);
  } finally {
    await Promise.all([autorun?.stop(), server.close()]);
    endGivingBack?.();
  }
}

/** Machines and containers that start together do not do so in order. */
const databaseWaitMilliseconds = 60_000;

/** Opens the store and looks whether it can be served: a database that is not up yet is waited for. */
export async function openForServing<S extends ServedStore>(
  open: (options: ServedStoreOptions) => Promise<S>,
  { quotaOf }: Pick<Identity, 'quotaOf'>,
  log: Logger,
): Promise<S> {
  leaveThreadsTheirLimits();
  const store = await open({
    waitForDatabase: {
      milliseconds: databaseWaitMilliseconds,
      onWaiting: (reason) => log.warn({ reason, longest_seconds: databaseWaitMilliseconds / 1000 }, 'waiting for the database'),
    },
    quotaOf,
    onIncident: ({ kind, message, error, detail }) => log.error({ ...detail, incident: kind, err: error }, message),
  });
  try {
    // The first look at the tables says whether they are there.
    await store.as(administrator('serve')).packages.list({ limit: 1 });
    // The others serve, and these do as soon as they can be used.
    for (const unusable of await store.operator.claimStorage()) log.error(unusable, 'a storage backend cannot be used now');
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Every worker starts it: a lease lets one of all processes run at a time. */
function startAutorun({ retention }: ServerSettings, store: ServedStore, log: Logger): Autorun | undefined {
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

/** What still waits for a database or a store that does not answer, after all its time, is not waited for. */
function endAnyway(milliseconds: number, log: Log): void {
  const end = async (): Promise<void> => {
    log.logger.error('the server did not stop in time, and ends with work unfinished');
    await log.flush();
    process.exit(1);
  };
  setTimeout(() => void end(), milliseconds).unref();
}

export function graceOf({ shutdownGraceSeconds }: ServerSettings): number {
  return shutdownGraceSeconds * 1000;
}

/** From here on what the thread that serves no longer uses is given back. */
const largeHeapBytes = 100_663_296;
