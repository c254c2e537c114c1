import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { fileReason } from '../../runtime/file-error.ts';

/** Where a server is and how it is spoken to, as the URL says. */
export interface PostgresAddress {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string;
  readonly sslMode: SslMode;
  /** PEM files. */
  readonly rootCertificate: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly applicationName: string;
  readonly options: string | undefined;
  readonly connectMilliseconds: number;
}

export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** The TLS options of Node for it. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly checkServerIdentity?: () => undefined;
}

const defaultConnectMilliseconds = 5_000;

/** Takes what the configuration has let through: see `config/database-url.ts`. */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = new URL(text);
  const given = (name: string): string | undefined => url.searchParams.get(name) || undefined;
  const decoded = (part: string): string | undefined => (part === '' ? undefined : decodeURIComponent(part));
  const host = given('host') ?? decoded(url.hostname.replace(/^\[(.+)\]$/, '$1')) ?? 'localhost';
  const seconds = Number(given('connect_timeout'));
  return {
    host,
    port: Number(given('port') ?? (url.port || 5432)),
    user: given('user') ?? decoded(url.username),
    password: given('password') ?? decoded(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    // A socket has no network that somebody could listen to.
    sslMode: host.startsWith('/') ? 'disable' : sslModeOf(given('sslmode'), given('sslrootcert')),
    rootCertificate: given('sslrootcert'),
    certificate: given('sslcert'),
    key: given('sslkey'),
    applicationName: given('application_name') ?? 'artifactstore',
    options: given('options'),
    connectMilliseconds: seconds > 0 ? seconds * 1_000 : defaultConnectMilliseconds,
  };
}

/** For people: without the password, and without the user, who is named where it matters. */
export function placeOf({ host, port }: PostgresAddress): string {
  return host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * What libpq's modes mean: `prefer` and `require` encrypt and ask nobody who the server is; `verify-ca` asks for a
 * certificate of the given authority, `verify-full` for one that also has the host's name. Errors:
 * `invalid_configuration` when a file cannot be read.
 */
export function tlsOptions(address: PostgresAddress): TlsOptions {
  const { sslMode, rootCertificate, certificate, key } = address;
  const checked = sslMode === 'verify-ca' || sslMode === 'verify-full';
  const ca =
    !checked || rootCertificate === undefined || rootCertificate === 'system' ? undefined : [readPem('sslrootcert', rootCertificate)];
  return {
    rejectUnauthorized: checked,
    ...(ca === undefined ? {} : { ca }),
    ...(ca === undefined && checked ? { ca: rootCertificates } : {}),
    ...(certificate === undefined ? {} : { cert: readPem('sslcert', certificate) }),
    ...(key === undefined ? {} : { key: readPem('sslkey', key) }),
    ...(sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function sslModeOf(mode: string | undefined, rootCertificate: string | undefined): SslMode {
  // As libpq has it: whoever gives an authority wants it to be asked.
  if (mode === 'require' && rootCertificate !== undefined) return 'verify-ca';
  return (mode as SslMode | undefined) ?? 'prefer';
}

function readPem(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ArtifactstoreError(
      'invalid_configuration',
      `The file "${path}", which ${parameter} in ARTIFACTSTORE_DATABASE_URL names, can't be read: ${fileReason(error)}.`,
      { field: 'ARTIFACTSTORE_DATABASE_URL', cause: error },
    );
  }
}
