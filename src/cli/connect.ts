import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connectRegistry, type RemoteRegistry } from '../client/connect.ts';
import type { Config } from '../config.ts';
import { errnoCode, localFileError } from '../kernel/file-error.ts';
import type { Context } from './context.ts';

/** Connects to the server that the configuration names, with its token or, on this machine, with the one that `dev` made. */
export function connect({ config, output, version }: Context, options: { readonly patienceSeconds?: number } = {}): RemoteRegistry {
  let waited = false;
  return connectRegistry({
    url: config.apiUrl,
    token: config.apiToken ?? developmentToken(config),
    userAgent: `artifactstore/${version}`,
    patienceSeconds: options.patienceSeconds ?? 10,
    onRetry: (error, waitSeconds) => {
      if (waitSeconds < 0.5) return;
      if (!waited) output.note(`waiting for the server: ${error.message}`);
      waited = true;
    },
  });
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
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw localFileError(error, path, 'read', {
      info: { hint: 'it is the token that `artifactstore dev` made; set ARTIFACTSTORE_API_TOKEN to use another' },
    });
  }
}
