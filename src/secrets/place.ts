import { isAbsolute } from 'node:path';
import { isLoopback, parseHttpUrl } from '../protocol/http-url.ts';
import type { SecretsConfig } from './SECRETS.ts';

/**
 * `env`, `file:/absolute/directory`, or `vault:https://host:8200/MOUNT/PATH`. Throws an Error that says what is wrong
 * with it.
 */
export function parseSecretsPlace(text: string): SecretsConfig {
  if (text === 'env') return { kind: 'environment' };
  const [, kind, rest = ''] = /^(file|vault):(.+)$/s.exec(text) ?? [];
  if (kind === 'file') {
    if (!isAbsolute(rest)) throw new Error('file: needs the absolute path of a directory');
    if (/\p{Cc}/u.test(rest)) throw new Error('file: needs a path without line breaks and other control characters');
    return { kind: 'directory', path: rest.replace(/(?<=.)\/+$/, '') };
  }
  if (kind !== 'vault') throw new Error('must be env, file:/absolute/directory or vault:https://host:8200/MOUNT/PATH');
  const url = new URL(parseHttpUrl(rest));
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) throw new Error('http is for this machine alone: use https');
  const [mount = '', ...path] = url.pathname.split('/').filter((part) => part !== '');
  if (![mount, ...path].every((part) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(part)))
    throw new Error('needs the mount of the key-value engine behind the host: vault:https://host:8200/MOUNT/PATH');
  return { kind: 'vault', address: url.origin, mount, path: path.join('/') };
}
