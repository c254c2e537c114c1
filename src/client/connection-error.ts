import { ArtifactstoreError } from '../kernel/error.ts';

/** Whether the connection failed, as against an answer that was not wished for. */
export function isConnectionFailure(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code !== undefined && (connectionCodes.has(code) || /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HPE_)/.test(code))
  );
}

/** `server_unreachable`, with what is known of the cause, and whether the request can have reached the server. */
export function connectionError(error: unknown, server: URL): ArtifactstoreError {
  const code = codeOf(error) ?? 'unknown';
  const reason = reasons[code] ?? `the connection failed (${code})`;
  return new ArtifactstoreError('server_unreachable', `Can't reach the server at ${server.origin}: ${reason}.`, {
    info: { cause: code, sent: !beforeSending.has(code) },
    cause: error,
  });
}

const beforeSending: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const connectionCodes: ReadonlySet<string> = new Set([
  ...beforeSending,
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_INFO',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'its answer stopped coming',
  ECONNRESET: 'the connection broke off',
  UND_ERR_SOCKET: 'the connection broke off',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'its answer broke off',
  EPIPE: 'the connection broke off',
};

/** The first code along the chain of causes; several addresses tried at once fail as one AggregateError. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}
