import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { tokenFromGitHubActions } from '../client/bearer/github-actions.ts';
import { tokenFromGitLabJob } from '../client/bearer/gitlab-ci.ts';
import type { Token } from '../client/bearer/token.ts';
import { tokenFromFile } from '../client/bearer/token-file.ts';
import { connectRegistry, type RemoteRegistry } from '../client/connect.ts';
import type { CommandContext } from '../command.ts';
import type { Config } from '../config/config.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { isLoopback } from '../protocol/http-url.ts';
import { errnoCode, localFileError } from '../runtime/file-error.ts';

/** How long a server may be unavailable in the middle of work that takes long. */
export const longPatienceSeconds = 60;

/**
 * The one way to the server that the configuration names, for every command: `await using registry = connect(context)`,
 * which closes the connections whatever happens. With the token that the configuration leads to or, on this machine,
 * with the one that `dev` made.
 */
export function connect(
  { config, output, version }: Pick<CommandContext, 'config' | 'output' | 'version'>,
  options: { readonly patienceSeconds?: number } = {},
): RemoteRegistry {
  let waited = false;
  return connectRegistry({
    url: config.apiUrl,
    token: tokenOf(config),
    userAgent: `artifactstore/${version}`,
    patienceSeconds: options.patienceSeconds ?? 10,
    onRetry: (error, waitSeconds) => {
      if (waitSeconds < 0.5) return;
      if (!waited) output.note(`waiting for the ${error.code === 'identity_unavailable' ? 'issuer' : 'server'}: ${error.message}`);
      waited = true;
    },
  });
}

/**
 * What `import` sends to the registry that it reads from, and nowhere else. That address is always given by whoever
 * calls, so that no file of a directory can choose it; no other token is ever sent there.
 */
export function sourceTokenOf({ sourceToken, sourceTokenFile }: Config): Token | undefined {
  return sourceTokenFile === undefined ? sourceToken : tokenFromFile(sourceTokenFile, 'ARTIFACTSTORE_SOURCE_TOKEN_FILE');
}

/** What the commands send to the server of a configuration, and nowhere else. */
export function tokenOf(config: Config): Token | undefined {
  const { apiToken, apiTokenFile, apiIdentity, apiUrl } = config;
  if (apiToken !== undefined) return fromWhereItMay(config, 'ARTIFACTSTORE_API_TOKEN of the environment', apiToken);
  if (apiTokenFile !== undefined) return fileOfToken(config, apiTokenFile);
  if (apiIdentity === undefined) return developmentToken(config);
  if (config.apiFromDotEnv.url) throw chosenByDirectory(config, `the identity of this job (${apiIdentity.platform})`);
  return apiIdentity.platform === 'gitlab-ci'
    ? tokenFromGitLabJob(apiIdentity)
    : tokenFromGitHubActions({ ...apiIdentity, audience: apiIdentity.audience ?? apiUrl });
}

/**
 * A directory that came from elsewhere can have a `.env`, and its address would be sent the token that the user keeps
 * for another server. The reverse is taken: a token of `.env` is sent to the address that the user gave.
 */
function fromWhereItMay<T>(config: Config, what: string, token: T): T {
  if (config.apiFromDotEnv.url && !config.apiFromDotEnv.token) throw chosenByDirectory(config, what);
  return token;
}

/** A `.env` that names both may name a file of its own directory, and no other of the machine. */
function fileOfToken(config: Config, path: string): Token {
  const setting = 'ARTIFACTSTORE_API_TOKEN_FILE';
  fromWhereItMay(config, `${setting} of the environment`, path);
  if (!config.apiFromDotEnv.url) return tokenFromFile(path, setting);
  try {
    const real = realpathSync(path);
    if (!isInside(config.directory, real)) throw chosenByDirectory(config, `the token in ${path}`);
    return tokenFromFile(real, setting);
  } catch (error) {
    throw localFileError(error, path, 'read', { field: setting });
  }
}

function isInside(directory: string, realPath: string): boolean {
  return realPath.startsWith(realpathSync(directory) + sep);
}

function chosenByDirectory({ apiUrl, directory }: Config, token: string): ArtifactstoreError {
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
  if (path === undefined || !isLoopback(hostname)) return undefined;
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (config.apiFromDotEnv.url && !isInside(config.directory, realpathSync(path)))
      throw chosenByDirectory(config, `the token in ${path}`);
    return token;
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw localFileError(error, path, 'read', {
      info: { hint: 'it is the token that `artifactstore dev` made; set ARTIFACTSTORE_API_TOKEN to use another' },
    });
  }
}
