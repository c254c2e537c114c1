import { ArtifactstoreError } from '../../kernel/error.ts';
import { databaseUnavailable } from '../failure.ts';
import { type PostgresAddress, placeOf } from './address.ts';
import { isStandbyError } from './greeting.ts';

/** How a server is named in messages. */
export function serverName(address: PostgresAddress): string {
  return `PostgreSQL at ${placeOf(address)} (ARTIFACTSTORE_DATABASE_URL)`;
}

/**
 * The five characters of https://www.postgresql.org/docs/current/errcodes-appendix.html, when the server raised the
 * error.
 */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}

/** Whether the server said that it ends the session, and with it the transaction. */
export function endsSession(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (state.startsWith('08') || state.startsWith('57P') || state === '25P03' || state === '25P04');
}

/** What to answer when no connection is available, or the one there was has ended. */
export function unreachable(error: unknown, address: PostgresAddress): ArtifactstoreError {
  if (error instanceof ArtifactstoreError) return error;
  return serverFault(error, address) ?? databaseUnavailable(`${serverName(address)} ${connectionReason(error, address)}.`, error);
}

/** A commit was sent and nothing came back. */
export function unknownOutcome(error: unknown, address: PostgresAddress): ArtifactstoreError {
  return databaseUnavailable(
    `The connection to ${serverName(address)} ended while a change was being committed. ` +
      'Whether it was is not known; repeat the request: the same bytes at the same path, or the same idempotency key, are done once.',
    error,
  );
}

/**
 * The error to answer with when it is the server or its disk that failed, not an operation; undefined when it is not
 * that.
 */
export function serverFault(error: unknown, address: PostgresAddress): ArtifactstoreError | undefined {
  const state = sqlState(error);
  if (state === undefined) return undefined;
  const where = serverName(address);
  if (state === '53100')
    return new ArtifactstoreError('storage_full', `The disk of ${where} is full; make room and repeat the request.`, { cause: error });
  if (state === 'XX001' || state === 'XX002')
    return new ArtifactstoreError('integrity_failure', `${where} reports damaged data.`, { cause: error });
  const known = serverReasons.find(([start]) => state.startsWith(start));
  if (known === undefined) return undefined;
  const [, reason, hint] = known;
  return new ArtifactstoreError('database_unavailable', `${where} ${reason(address, (error as Error).message)} (${state}).`, {
    ...(hint === undefined ? {} : { info: { hint } }),
    cause: error,
  });
}

type Reason = (address: PostgresAddress, said: string) => string;

const user = ({ user: name }: PostgresAddress): string => `the user ${name === undefined ? '(none given)' : `"${name}"`}`;
const says: Reason = (_, said) => `says: ${said}`;

/**
 * By the beginning of the state; the first that fits. What the server says names users and databases, never a password.
 */
const serverReasons: readonly (readonly [state: string, reason: Reason, hint?: string])[] = [
  ['28P01', (address) => `refuses ${user(address)}: the password is wrong, or there is no such user`, 'see user and password in the URL'],
  ['28', (address, said) => `refuses ${user(address)}: ${said}`, 'see user and sslmode in the URL, and pg_hba.conf of the server'],
  ['3D000', ({ database }) => `has no database "${database}"`, 'create it with encoding UTF8, or name another one'],
  [
    '53300',
    (_, said) => `has no connection left: ${said}`,
    'raise max_connections; docs/operate/configure.md tells how many each process takes',
  ],
  ['57P03', says, 'it starts or stops; wait, and try again'],
  ['42501', (address, said) => `does not let ${user(address)}: ${said}`, 'let it own the database: alter database … owner to …'],
  ['3F', says, 'the schema "public" is not there or not in the search_path of this user'],
  ['25006', () => 'takes no writes: it is a standby, or its default is read-only', 'does the URL lead to the primary?'],
  ['55P03', () => 'holds the log for somebody else, who takes too long; repeat the request'],
  ['57014', () => 'was too slow, and the statement was given up; repeat the request'],
  ['57P', (_, said) => `ended the session (${said}); repeat the request`],
  ...['08', '25P03', '25P04', '40', '53', '57', '58'].map((state) => [state, says] as const),
];

/** The end of a sentence that begins with the server's name. */
function connectionReason(error: unknown, address: PostgresAddress): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : networkReasons[code];
  if (reason !== undefined) return `${reason} (${code})`;
  for (const [pattern, words] of driverReasons) if (pattern.test(message)) return words(address);
  if (code !== undefined && /^(?:ERR_(?:SSL|TLS)|EPROTO)/.test(code)) return `could not set up TLS (${code}); see sslmode in the URL`;
  return `cannot be reached: ${message}`;
}

const certificate = 'its certificate is not one that sslrootcert vouches for; see sslmode and sslrootcert in the URL';

const networkReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'cannot be reached: nothing listens there',
  ENOTFOUND: 'cannot be reached: there is no such host',
  EAI_AGAIN: 'cannot be reached: the name of the host cannot be looked up now',
  ETIMEDOUT: 'cannot be reached: it does not answer',
  EHOSTUNREACH: 'cannot be reached: there is no way to the host',
  ENETUNREACH: 'cannot be reached: there is no way to its network',
  ECONNRESET: 'ended the connection',
  EPIPE: 'ended the connection',
  ENOENT: 'cannot be reached: there is no such socket',
  EACCES: 'cannot be reached: this user may not use the socket',
  SELF_SIGNED_CERT_IN_CHAIN: `is not trusted: ${certificate}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: `is not trusted: ${certificate}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `is not trusted: ${certificate}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `is not trusted: ${certificate}`,
  CERT_SIGNATURE_FAILURE: `is not trusted: ${certificate}`,
  CERT_HAS_EXPIRED: 'is not trusted: its certificate has expired',
  CERT_NOT_YET_VALID: "is not trusted: its certificate is not valid yet; is this machine's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID: 'is not trusted: its certificate is for another host; verify-full asks for its name, verify-ca does not',
  ERR_OSSL_PEM_NO_START_LINE: 'cannot be asked: a certificate or key file is not in PEM form',
};

/** What the driver says without a code. */
const driverReasons: readonly (readonly [RegExp, (address: PostgresAddress) => string])[] = [
  [/does not support SSL/i, () => 'has no TLS, and sslmode in the URL asks for it'],
  [/establishing an SSL connection/i, () => 'does not speak TLS as PostgreSQL does; see sslmode in the URL'],
  [/password must be a (?:non-empty )?string/i, (address) => `asks for a password, and the URL gives none for ${user(address)}`],
  [/timeout expired|timed? ?out/i, ({ connectMilliseconds }) => `does not answer within ${connectMilliseconds / 1_000} seconds`],
  [/not an answer of PostgreSQL/, () => 'is no PostgreSQL: something else listens there; see host and port in the URL'],
  [/no answer for/i, () => 'no longer answers, and the connection was given up; repeat the request'],
  [/terminated|not queryable|closed/i, () => 'ended the connection; repeat the request'],
];

/** Whether a connection may be had a little later without anybody changing the configuration. */
export function mayPass(error: unknown): boolean {
  if (isStandbyError(error)) return true;
  const cause = error instanceof ArtifactstoreError ? error.cause : error;
  const state = sqlState(cause);
  if (state !== undefined) return state === '57P03' || state.startsWith('53') || state.startsWith('08');
  const { code, message } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return (code !== undefined && passing.has(code)) || /timeout expired|terminated/i.test(message ?? '');
}

const passing: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
]);
