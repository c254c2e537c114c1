import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { createCheckedFiles } from '../bundle/checked-file.ts';
import { titleOf } from '../bundle/manifest.ts';
import { type Look, openServedBundles, type ServedBundles } from '../bundle/served-bundles.ts';
import { createBundleDoor } from '../doors/bundle/door.ts';
import { createEngine } from '../http/engine.ts';
import { createLog, type LogOptions } from '../http/log.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { localFileError } from '../runtime/file-error.ts';
import { stopOnSignal } from '../runtime/stop-signals.ts';
import { listenOrSay } from './listen.ts';
import { loopbackOf, requireLoopback } from './loopback.ts';

export interface ServeBundlesOptions {
  /** Has the manifests of the bundles, and below it their artifacts. */
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  readonly logLevel: LogOptions['level'];
  readonly shutdownGraceSeconds: number;
  readonly maxConnections: number;
  readonly maxRequestsPerCaller: number;
}

/**
 * Serves the artifacts of the bundles in a directory to this machine alone, until a signal comes. Nothing else is
 * needed: no registry, no database, and nothing that can be written to.
 */
export async function serveBundles(options: ServeBundlesOptions): Promise<void> {
  const { directory, port, version } = options;
  const address = await loopbackOf(options.host);
  await requireDirectory(directory);
  const bundles = openServedBundles(directory);
  requireUsable(directory, await bundles.look());
  using stop = stopOnSignal();
  const log = createLog({ level: options.logLevel });
  const engine = createEngine({
    log,
    secrets: [],
    limits: {
      graceTimeout: options.shutdownGraceSeconds * 1000,
      connections: options.maxConnections,
      requestsOfOne: options.maxRequestsPerCaller,
    },
  });
  try {
    const told = tellOf(bundles, log.logger);
    await engine.mount([createBundleDoor(engine.context, { directory, bundles: told, files: createCheckedFiles() })]);
    const url = await listenOrSay(engine, address, port);
    requireLoopback(url);
    const { bundles: found } = await told.look();
    log.logger.info({ url, version, bundles: found.map(titleOf) }, 'listening');
    await stop.asked;
  } finally {
    await engine.close();
    await log.flush();
  }
}

/** Tells the log of each manifest that cannot be used, once as long as it is wrong in the same way. */
function tellOf({ look }: ServedBundles, log: Logger): ServedBundles {
  let told: ReadonlySet<string> = new Set();
  return {
    async look() {
      const seen = await look();
      const now = new Set(seen.unusable.map(({ file, error }) => `${file} ${error.message}`));
      for (const { file, error } of seen.unusable)
        if (!told.has(`${file} ${error.message}`)) log.error({ file, err: error }, 'a bundle cannot be served');
      told = now;
      return seen;
    },
  };
}

/** A server that has nothing to give would only be found out later. */
function requireUsable(directory: string, { bundles, unusable }: Look): void {
  const [first] = unusable;
  if (first !== undefined) throw first.error;
  if (bundles.length > 0) return;
  throw new ArtifactstoreError('invalid_configuration', `There is no bundle in "${directory}".`, {
    field: '--root',
    info: { hint: 'put one there with `artifactstore publish <dir> --via copy --to DIR`' },
  });
}

async function requireDirectory(directory: string): Promise<void> {
  const seen = await stat(directory).catch((error: unknown) => {
    throw localFileError(error, directory, 'read', { field: '--root' });
  });
  if (!seen.isDirectory()) throw new ArtifactstoreError('invalid_path', `"${directory}" is not a directory.`, { field: '--root' });
}
