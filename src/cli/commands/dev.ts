import type { Definition } from '../definition.ts';
import type { DevOptions } from '../operate/run-dev.ts';
import { portNumber } from '../terminal/numbers.ts';

export const dev: Definition = (command, context) => {
  command
    .option('--port <port>', 'the port; 0 lets the system choose (ARTIFACTSTORE_PORT)', portNumber)
    .addHelpText(
      'after',
      `
Keeps everything in ./var (or where ARTIFACTSTORE_DATABASE_URL and
ARTIFACTSTORE_STORAGE_LOCAL_ROOT say), listens on this machine only, and makes a
token that the other commands find: the file dev-token beside the database,
which only you can read.

Examples:
  $ artifactstore dev
  $ artifactstore dev --port 9000`,
    )
    .action(async (options: DevOptions) => {
      await (await import('../operate/run-dev.ts')).runDev(context(), options);
    });
};
