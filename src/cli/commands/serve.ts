import { type RunOptions, runServer } from '../../serve/run.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { exitCodeOf } from '../exit.ts';
import { openServed } from '../open-served.ts';
import { referenceReader } from '../read-reference.ts';
import { portNumber, positiveInteger } from '../terminal/numbers.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly workers: number;
  readonly acceptClock?: boolean;
}

export const serve: Definition = (command, context) => {
  command
    .option('--host <host>', 'the address to listen on (ARTIFACTSTORE_HOST)')
    .option('--port <port>', 'the port; 0 lets the system choose (ARTIFACTSTORE_PORT)', portNumber)
    .option('--workers <n>', 'processes that share the port', positiveInteger, 1)
    .option('--accept-clock', "sweep and collect although this machine's clock is in doubt at the start")
    .addHelpText(
      'after',
      `
An SQLite database is migrated at the start; a PostgreSQL one is refused until
\`artifactstore migrate\` was run. SIGTERM and SIGINT stop the server: running
requests get up to ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS (30) to finish; a second
signal ends it at once.

Examples:
  $ ARTIFACTSTORE_AUTH_TOKENS=ci=$TOKEN artifactstore serve
  $ artifactstore serve --host 0.0.0.0 --port 8080 --workers 4`,
    )
    .action(async (options: ServeOptions) => {
      await runServer(() => runOptions(context(), options), exitCodeOf);
    });
};

function runOptions(context: Context, { host, port, workers, acceptClock = false }: ServeOptions): RunOptions {
  const { config, version } = context;
  return {
    settings: config,
    logLevel: config.logLevel,
    host: host ?? config.host,
    port: port ?? config.port,
    tokens: config.tokens,
    version,
    workers,
    acceptClock,
    openStore: (options) => openServed(context, options),
    readReference: referenceReader(config, context.environment),
  };
}
