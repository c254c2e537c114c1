import { resolve } from 'node:path';

export type DatabaseTarget =
  /** `path` is absolute. */
  | { readonly kind: 'sqlite'; readonly path: string }
  /** `url` starts with `postgresql://`. It may hold a password. */
  | { readonly kind: 'postgresql'; readonly url: string };

/**
 * `sqlite:<path>` or `postgresql://…`, and the forms that version 0.1 took: a driver after a plus sign (`sqlite+aiosqlite`,
 * `postgresql+asyncpg`), and SQLite paths after three slashes (relative) or four (absolute).
 */
export function parseDatabaseUrl(text: string, directory: string): DatabaseTarget {
  const match = /^([a-z0-9]+)(?:\+[a-z0-9]+)?:(.*)$/is.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[2] ?? '';
  if (scheme === 'sqlite') return { kind: 'sqlite', path: resolve(directory, sqlitePath(rest)) };
  if (scheme === 'postgresql' || scheme === 'postgres') return { kind: 'postgresql', url: postgresqlUrl(`postgresql:${rest}`) };
  throw new Error('must start with "sqlite:" or "postgresql://"');
}

function sqlitePath(rest: string): string {
  const path = (rest.startsWith('///') ? rest.slice(3) : rest).replace(/\?.*$/s, '');
  if (path === ':memory:' || path === '' || path === '//')
    throw new Error('must name a file: a registry in memory would lose what it acknowledged');
  if (path.startsWith('//')) throw new Error('has no host: write sqlite:./relative.db, sqlite:/absolute.db or sqlite:////absolute.db');
  return path;
}

function postgresqlUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !text.startsWith('postgresql://')) throw new Error('must look like postgresql://user:password@host:5432/database');
  if (url.pathname.length < 2) throw new Error('names no database: postgresql://user:password@host:5432/database');
  // The driver of version 0.1 called it `ssl`; everybody else says `sslmode`.
  const ssl = url.searchParams.get('ssl');
  if (ssl !== null) {
    url.searchParams.delete('ssl');
    if (!url.searchParams.has('sslmode')) url.searchParams.set('sslmode', ssl === 'true' ? 'require' : ssl);
  }
  return url.href;
}
