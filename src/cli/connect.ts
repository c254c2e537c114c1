import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { connectRegistry, type RemoteRegistry } from '../client/connect.ts';
import type { CommandContext } from '../command.ts';
import type { Config } from '../config/config.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode, localFileError } from '../runtime/file-error.ts';

/** How long a server may be unavailable in the middle of work that takes long. */
export const longPatienceSeconds = 60;

/**
 * The one way to the server that the configuration names, for every command: `await using registry = connect(context)`,
 * which closes the connections whatever happens. With its token or, on this machine, with the one that `dev` made.
 */
export function connect(
  { config, output, version }: Pick<CommandContext, 'config' | 'output' | 'version'>,
  options: { readonly patienceSeconds?: number } = {},
): RemoteRegistry {
  let waited = false;
  return connectRegistry({
    url: config.apiUrl,
    token: config.apiToken === undefined ? developmentToken(config) : givenToken(config, config.apiToken),
    userAgent: `artifactstore/${version}`,
    patienceSeconds: options.patienceSeconds ?? 10,
    onRetry: (error, waitSeconds) => {
      if (waitSeconds < 0.5) return;
      if (!waited) output.note(`waiting for the server: ${error.message}`);
      waited = true;
    },
  });
}

/**
 * A directory that came from elsewhere can have a `.env`, and its address would be sent the token that the user keeps
 * for another server. The reverse is taken: a token of `.env` is sent to the address that the user gave.
 */
function givenToken({ apiUrl, apiFromDotEnv, directory }: Config, token: string): string {
  if (apiFromDotEnv.url && !apiFromDotEnv.token) throw chosenByDirectory(apiUrl, directory, 'ARTIFACTSTORE_API_TOKEN of the environment');
  return token;
}

function chosenByDirectory(apiUrl: string, directory: string, token: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'invalid_configuration',
    `ARTIFACTSTORE_API_URL comes from ${join(directory, '.env')}: ${token} is not sent to ${apiUrl}, which that file has chosen.`,
    {
      field: 'ARTIFACTSTORE_API_URL',
      info: { hint: `if it is your server, give its address yourself: --api-url ${apiUrl}, or ARTIFACTSTORE_API_URL in the environment` },
    },
  );
}

/** Beside the embedded database: only who may read the data may read it. */
export function developmentTokenPath(config: Config): string | undefined {
  return config.database.kind === 'sqlite' ? join(dirname(config.database.path), 'dev-token') : undefined;
}

/** Never sent to another machine. */
function developmentToken(config: Config): string | undefined {
  const path = developmentTokenPath(config);
  const { hostname } = new URL(config.apiUrl);
  if (path === undefined || !(hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname))) return undefined;
  try {
    const token = readFileSync(path, 'utf8').trim();
    const isOfDirectory = realpathSync(path).startsWith(realpathSync(config.directory) + sep);
    if (config.apiFromDotEnv.url && !isOfDirectory) throw chosenByDirectory(config.apiUrl, config.directory, `the token in ${path}`);
    return token;
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw localFileError(error, path, 'read', {
      info: { hint: 'it is the token that `artifactstore dev` made; set ARTIFACTSTORE_API_TOKEN to use another' },
    });
  }
}
