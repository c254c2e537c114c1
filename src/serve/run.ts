import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { BearerToken, Config } from '../config/config.ts';
import { createLog, type Log } from '../http/log.ts';
import type { ReadReference } from '../identity/sign-in/client.ts';
import { openServedIdentity } from './open-identity.ts';
import {
  afterGraceMilliseconds,
  graceOf,
  openForServing,
  type ServedStore,
  type ServedStoreOptions,
  type ServerSettings,
  serveUntilStopped,
} from './serve-store.ts';
import { superviseWorkers } from './supervise.ts';
import { leaveParent, tellParent } from './worker.ts';

export interface RunOptions {
  readonly settings: ServerSettings;
  readonly logLevel: Config['logLevel'];
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly BearerToken[];
  readonly version: string;
  /** Processes that share the port. */
  readonly workers: number;
  /** Sweeps and collects although this machine's clock is in doubt at the start. */
  readonly acceptClock: boolean;
  openStore(options: ServedStoreOptions): Promise<ServedStore>;
  /** Where the secrets are that the access file refers to. */
  readonly readReference: ReadReference;
}

/**
 * One process, or several behind one port, until a signal ends it. What a worker fails with is said by the first
 * process; the worker then ends with the code that `exitCodeOf` gives. `read` gives the options: a worker that can't
 * read its configuration has failed too.
 */
export async function runServer(read: () => RunOptions, exitCodeOf: (error: unknown) => number): Promise<void> {
  try {
    const options = read();
    const log = createLog({ level: options.logLevel });
    try {
      await serveOrSupervise(options, log);
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

async function serveOrSupervise(options: RunOptions, log: Log): Promise<void> {
  const { settings, workers, acceptClock, openStore, host, port, tokens, version } = options;
  await using identity = await openServedIdentity(tokens, settings.accessConfigPath, log.logger, workers, options.readReference);
  if (workers > 1 && cluster.isPrimary) {
    // Once, before many would want to.
    await using store = await openForServing(openStore, identity, log.logger);
    await store.close();
    warnOfTokens(options, log.logger);
    return await superviseWorkers(workers, log, graceOf(settings) + 2 * afterGraceMilliseconds);
  }
  await using store = await openForServing(openStore, identity, log.logger);
  if (acceptClock) store.operator.acceptClock();
  if (cluster.isPrimary) warnOfTokens(options, log.logger);
  await serveUntilStopped(settings, store, {
    host,
    port,
    identity,
    secrets: tokens.map(({ token }) => token),
    version,
    log,
    onListening: (url) => {
      if (cluster.isPrimary) log.logger.info({ url, console: `${url}/console/`, version }, 'listening');
    },
  });
}

function warnOfTokens({ tokens, settings }: RunOptions, log: Logger): void {
  if (tokens.length === 0 && settings.accessConfigPath === undefined)
    log.warn(
      `no tokens are configured, so every ${settings.anonymousRead ? 'write' : 'protected route'} ` +
        'answers 401: set ARTIFACTSTORE_AUTH_TOKENS or ARTIFACTSTORE_ACCESS_CONFIG_PATH',
    );
}
