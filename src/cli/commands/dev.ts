import { dirname, relative } from 'node:path';
import { createLog } from '../../http/log.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { keptToken } from '../../serve/dev-token.ts';
import { openServedIdentity } from '../../serve/open-identity.ts';
import { openForServing, serveUntilStopped } from '../../serve/serve-store.ts';
import { developmentTokenPath } from '../connect.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { openServed } from '../open-served.ts';
import { referenceReader } from '../read-reference.ts';
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
      await runDev(context(), options);
    });
};

interface DevOptions {
  readonly port?: number;
}

const host = '127.0.0.1';

/** Serves the embedded store on this machine, with a token of its own. */
async function runDev(context: Context, options: DevOptions): Promise<void> {
  const { config, output } = context;
  const path = developmentTokenPath(config);
  if (path === undefined)
    throw new ArtifactstoreError(
      'invalid_configuration',
      '`artifactstore dev` is for the embedded database; ARTIFACTSTORE_DATABASE_URL names another.',
      {
        field: 'ARTIFACTSTORE_DATABASE_URL',
        info: { hint: 'run `artifactstore migrate` and `artifactstore serve`' },
      },
    );
  // People watch: only what went wrong is worth a line, unless more was asked for.
  const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel;
  const token = keptToken(path);
  const log = createLog({ level: logLevel });
  const tokens = [...config.tokens.filter((other) => other.token !== token), { token, actor: 'dev' }];
  await using identity = await openServedIdentity(
    tokens,
    config.accessConfigPath,
    log.logger,
    1,
    referenceReader(config, context.environment),
  );
  await using store = await openForServing((opening) => openServed(context, opening), identity, log.logger);
  await serveUntilStopped(config, store, {
    host,
    port: options.port ?? config.port,
    identity,
    secrets: tokens.map((each) => each.token),
    version: context.version,
    log,
    onListening: (url) => {
      if (output.json) return output.value({ url, token_file: path, version: context.version });
      const { bold, dim, cyan } = output.colors;
      const shown = relative(context.directory, path) || path;
      output.line(`${bold(`artifactstore ${context.version}`)} listens on ${cyan(url)}`);
      output.line(`  data    ${relative(context.directory, dirname(path)) || '.'}`);
      output.line(`  token   ${shown} ${dim('(only you can read it; the other commands find it)')}`);
      output.line(`  console ${url}/console/`);
      output.line(`  docs    ${url}/docs`);
      output.line('');
      output.line('Try, in another terminal of this directory:');
      if (url !== config.apiUrl) output.line(`  export ARTIFACTSTORE_API_URL=${url}`);
      output.line('  artifactstore push ./some-directory');
      output.line('  artifactstore packages list');
      output.line(`  curl -H "Authorization: Bearer $(cat ${shown})" ${url}/packages`);
      output.line('');
      output.line('Ctrl-C ends it; what it keeps stays.');
    },
  });
}
