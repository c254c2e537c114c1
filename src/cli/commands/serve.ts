import type { Definition } from '../definition.ts';
import type { ServeOptions } from '../operate/run-server.ts';
import { portNumber, positiveInteger } from '../terminal/numbers.ts';

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
      await (await import('../operate/run-server.ts')).runServer(context, options);
    });
};
