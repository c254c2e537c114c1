import { resolve } from 'node:path';
import { serveBundles } from '../../serve/serve-bundles.ts';
import type { Definition } from '../definition.ts';
import { addSecretsFirst, requireSecrets, type SecretsFirst } from '../secrets.ts';
import { portNumber } from '../terminal/numbers.ts';

interface BootstrapServeOptions extends SecretsFirst {
  readonly root: string;
  readonly host: string;
  readonly port: number;
}

/** No other service is known to take it, and registries listen elsewhere. */
const usualPort = 7380;

export const bootstrapServe: Definition = (command, context) => {
  addSecretsFirst(command)
    .requiredOption('--root <dir>', 'the directory of the bundles, as `publish --via copy` leaves it')
    .option('--host <host>', 'the address to listen on, one of this machine alone', '127.0.0.1')
    .option('--port <port>', 'the port; 0 lets the system choose', portNumber, usualPort)
    .addHelpText(
      'after',
      `
For the first deployment, when no registry runs yet. Needs no registry, no
database and no token, and writes nothing. What a bundle manifest in the
directory names (bundle.json, or a name that ends in .bundle.json) can be read
at /objects/sha256:<hex>/<file name>, the address that it will have at a
registry. Each file is read and compared with its digest before its first byte
is sent. A bundle that is published while the server runs is served at once.

SIGTERM and SIGINT stop it. Its log is JSON lines on standard output.

Examples:
  $ artifactstore bootstrap-serve --root /var/lib/artifactstore-bundles
  $ artifactstore bootstrap-serve --root ./bundles --port 0`,
    )
    .action(async ({ root, host, port, ...secrets }: BootstrapServeOptions) => {
      await requireSecrets(context(), secrets);
      const { config, directory, version } = context();
      await serveBundles({
        directory: resolve(directory, root),
        host,
        port,
        version,
        logLevel: config.logLevel,
        shutdownGraceSeconds: config.shutdownGraceSeconds,
        maxConnections: config.maxConnections,
        maxRequestsPerCaller: config.maxRequestsPerCaller,
      });
    });
};
