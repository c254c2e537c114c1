import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { createLog } from '../../http/log.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { developmentTokenPath } from '../connect.ts';
import type { Context } from '../context.ts';
import { openForServing, serveUntilStopped } from './run-server.ts';

export interface DevOptions {
  readonly port?: number;
}

const host = '127.0.0.1';

/** Serves the embedded store on this machine, with a token of its own. */
export async function runDev(context: Context, options: DevOptions): Promise<void> {
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
  await using store = await openForServing(context, log.logger);
  await serveUntilStopped(context, store, {
    host,
    port: options.port ?? config.port,
    tokens: [...config.tokens.filter((other) => other.token !== token), { token, actor: 'dev' }],
    log,
    onListening: (url) => {
      if (output.json) return output.value({ url, token_file: path, version: context.version });
      const { bold, dim, cyan } = output.colors;
      const shown = relative(context.directory, path) || path;
      output.line(`${bold(`artifactstore ${context.version}`)} listens on ${cyan(url)}`);
      output.line(`  data    ${relative(context.directory, dirname(path)) || '.'}`);
      output.line(`  token   ${shown} ${dim('(only you can read it; the other commands find it)')}`);
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

/** The token of an earlier run, or a new one, readable by its owner alone. */
export function keptToken(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  try {
    const token = `dev-${randomBytes(24).toString('base64url')}`;
    writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  chmodSync(path, 0o600);
  const token = readFileSync(path, 'utf8').trim();
  if (token === '')
    throw new ArtifactstoreError('invalid_configuration', `The token file ${path} is empty; delete it, and a new one is made.`);
  return token;
}
