import { isIPv6 } from 'node:net';
import { ArtifactstoreError } from '../../kernel/error.ts';

/** Where `ssh://user@host:port/dir` leads. */
export interface SshPlace {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
  /** Absolute, without `.` and `..`. */
  readonly directory: string;
}

/**
 * Reads an ssh address. Nothing of it can be taken for an option of a program or for a word of a shell: what has other
 * characters than names of hosts and users have is refused. Throws `invalid_value`.
 */
export function parseSshUrl(text: string, field: string): SshPlace {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'ssh:') throw invalid(text, 'is not an address such as ssh://root@host/var/lib/bundles', field);
  const { username, password, hostname, port, search, hash } = url;
  if (password !== '') throw invalid('ssh://…', 'has a password in it: ssh uses keys', field);
  if (search !== '' || hash !== '') throw invalid(text, 'has a "?" or "#" in it', field);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (!isIPv6(host) && !/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})$/.test(host)) throw invalid(text, 'has no host that can be a name', field);
  if (username !== '' && !/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/.test(username)) throw invalid(text, 'has a user that is no name', field);
  return {
    host,
    ...(username === '' ? {} : { user: username }),
    ...(port === '' ? {} : { port: Number(port) }),
    directory: directoryOf(text, field),
  };
}

/** As it was written: a parser of URLs would have `a/../b` for `b`. */
function directoryOf(text: string, field: string): string {
  const directory = decoded(/^ssh:\/\/[^/]*(.*)$/is.exec(text)?.[1] ?? '')?.replace(/(?<=.)\/+$/, '');
  if (directory === undefined || /[^ -~\u00a0-\u{10ffff}]/u.test(directory))
    throw invalid(text, 'has a directory that cannot be one', field);
  const segments = directory.split('/').slice(1);
  if (segments.length === 0 || segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    throw invalid(text, 'has no absolute directory without ".", ".." and "//" in it', field);
  return directory;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function invalid(text: string, fault: string, field: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `"${text}" ${fault}.`, { field });
}
