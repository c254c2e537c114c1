import { resolve } from 'node:path';
import type { DatabaseTarget } from '../database/target.ts';
import { nearestNames } from '../protocol/nearest-names.ts';

/**
 * `sqlite:<path>` or `postgresql://…`, and the forms that version 0.1 took: a driver after a plus sign
 * (`sqlite+aiosqlite`, `postgresql+asyncpg`), and SQLite paths after three slashes (relative) or four (absolute).
 */
export function parseDatabaseUrl(text: string, directory: string): DatabaseTarget {
  const match = /^([a-z0-9]+)(?:\+[a-z0-9]+)?:(.*)$/is.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[2] ?? '';
  if (scheme === 'sqlite') return { kind: 'sqlite', path: resolve(directory, sqlitePath(rest)) };
  if (scheme === 'postgresql' || scheme === 'postgres') return { kind: 'postgresql', url: postgresqlUrl(`postgresql:${rest}`, directory) };
  throw new Error('must start with "sqlite:" or "postgresql://"');
}

function sqlitePath(rest: string): string {
  const path = rest.startsWith('///') ? rest.slice(3) : rest;
  // Left out in silence, `?mode=ro` would open for writing.
  if (path.includes('?')) throw new Error('has a "?": SQLite takes no parameters here, only the path of a file');
  if (path === ':memory:' || path === '' || path === '//')
    throw new Error('must name a file: a registry in memory would lose what it acknowledged');
  if (path.startsWith('//')) throw new Error('has no host: write sqlite:./relative.db, sqlite:/absolute.db or sqlite:////absolute.db');
  return path;
}

function postgresqlUrl(text: string, directory: string): string {
  const url = text.startsWith('postgresql://') ? readUrl(text) : null;
  if (url === null) throw new Error(`must look like postgresql://user:password@host:5432/database; ${encoding}`);
  if (![url.username, url.password, url.pathname, url.hostname].every(isEncoded))
    throw new Error(`has a "%" that does not begin a percent-encoded character; ${encoding}`);
  // The beginning of a password that is not encoded was read as a port, and the rest of it as all that follows.
  if (url.hash !== '' || url.pathname.includes('@') || (url.search.includes('@') && !knowsAll(url.searchParams)))
    throw new Error(`has a "#", or an "@" behind the host; ${encoding}`);
  if (url.pathname.length < 2) throw new Error('names no database: postgresql://user:password@host:5432/database');
  if (url.hostname.includes(',')) throw new Error('names several hosts: one is taken, which leads to the server that is the primary now');
  const { searchParams } = url;
  // The driver of version 0.1 called it `ssl`; everybody else says `sslmode`.
  const ssl = searchParams.get('ssl');
  if (ssl !== null) {
    searchParams.delete('ssl');
    if (!searchParams.has('sslmode')) searchParams.set('sslmode', sslAnswers[ssl] ?? ssl);
  }
  for (const [name, value] of [...searchParams]) {
    const check = parameters[name];
    if (check === undefined) {
      const [near] = nearestNames(name, Object.keys(parameters));
      throw new Error(
        `has a parameter "${name}", which is not known${near === undefined ? '' : `; did you mean "${near}"?`} (${Object.keys(parameters).join(', ')})`,
      );
    }
    searchParams.set(name, check(value, name, directory));
  }
  if (searchParams.get('sslmode') === 'verify-ca' && !searchParams.has('sslrootcert'))
    throw new Error('has sslmode=verify-ca without sslrootcert, the certificate of the authority that is to vouch for the server');
  return url.href;
}

function knowsAll(search: URLSearchParams): boolean {
  return [...search.keys()].every((name) => parameters[name] !== undefined || name === 'ssl');
}

/** Shows nothing of the URL: it may hold a password. */
const encoding = 'in user, password and database "@" is written %40, "/" %2F, "#" %23, "?" %3F and "%" %25';

function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

/** With a user and no host, libpq's form for a socket, it is no URL to anybody else. */
function readUrl(text: string): URL | null {
  return URL.parse(text) ?? URL.parse(text.replace(/^(postgresql:\/\/[^/?#@]*@)(?=[/?])/, '$1localhost'));
}

const sslAnswers: Readonly<Record<string, string>> = { true: 'require', '1': 'require', false: 'disable', '0': 'disable' };

type Check = (value: string, name: string, directory: string) => string;

const asItIs: Check = (value) => value;
/** `system` stands for the authorities that Node itself trusts. */
const file: Check = (value, name, directory) => (name === 'sslrootcert' && value === 'system' ? value : resolve(directory, value));
const oneOf =
  (...values: readonly string[]): Check =>
  (value, name) => {
    if (values.includes(value)) return value;
    throw new Error(`has ${name}=${value}, which is not one of ${values.join(', ')}`);
  };
const wholeNumber: Check = (value, name) => {
  if (/^\d{1,5}$/.test(value)) return value;
  throw new Error(`has ${name}=${value}, which is no whole number`);
};

/**
 * Parameters of libpq that mean the same here. A slip of the hand in one of them must not leave a connection open to
 * listeners.
 */
const parameters: Readonly<Record<string, Check>> = {
  sslmode: (value, name, directory) =>
    // The driver's own name for what libpq calls `require`.
    value === 'no-verify' ? 'require' : oneOf('disable', 'prefer', 'require', 'verify-ca', 'verify-full')(value, name, directory),
  sslrootcert: file,
  sslcert: file,
  sslkey: file,
  host: asItIs,
  port: wholeNumber,
  user: asItIs,
  password: asItIs,
  application_name: asItIs,
  options: asItIs,
  connect_timeout: wholeNumber,
  target_session_attrs: oneOf('read-write', 'primary'),
};
