import { InvalidArgumentError } from 'commander';
import type { Definition } from './program.ts';
import { positiveInteger } from './push.ts';

export interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly workers: number;
}

export const serve: Definition = (command, context) => {
  command
    .option('--host <host>', 'the address to listen on (ARTIFACTSTORE_HOST)')
    .option('--port <port>', 'the port; 0 lets the system choose (ARTIFACTSTORE_PORT)', portNumber)
    .option('--workers <n>', 'processes that share the port', positiveInteger, 1)
    .addHelpText(
      'after',
      `
An SQLite database is migrated at the start; a PostgreSQL one is refused until \`artifactstore migrate\` was run.
SIGTERM and SIGINT let requests under way finish.

Examples:
  $ ARTIFACTSTORE_AUTH_TOKENS=ci=$TOKEN artifactstore serve
  $ artifactstore serve --host 0.0.0.0 --port 8080 --workers 4`,
    )
    .action(async (options: ServeOptions) => {
      await (await import('./run-server.ts')).runServer(context(), options);
    });
};

export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('It must be a port from 0 to 65535.');
  return port;
}
