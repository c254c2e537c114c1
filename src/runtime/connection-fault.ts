/** Why a connection came to nothing, in the words of every door that opens one. */
export interface ConnectionFault {
  readonly kind:
    | 'nobody'
    | 'unknown_host'
    | 'no_route'
    | 'slow'
    | 'cut'
    | 'too_long'
    | 'untrusted_certificate'
    | 'expired_certificate'
    | 'other_name'
    | 'speaks_http'
    | 'tls'
    | 'not_http';
  /** Half a sentence about the other side. */
  readonly text: string;
  /** What to do whatever the address is called; the door adds the setting that holds the address. */
  readonly remedy?: string;
}

/** What the system's or OpenSSL's code says of a connection; undefined where it says nothing of one. */
export function connectionFault(code: string): ConnectionFault | undefined {
  return faults.find(([pattern]) => pattern.test(code))?.[1];
}

/**
 * The code that says why a connection failed: the first along the chain of causes; several addresses tried at once fail
 * as one AggregateError. `TimeoutError` where a signal ended it for taking too long, and `HTTPParserError` where undici
 * has no code for what it could not read. Undefined where there is none.
 */
export function connectionCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'TimeoutError') return error.name;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  if (error.name === 'HTTPParserError') return error.name;
  if (error instanceof AggregateError && error.errors.length > 0) return connectionCode(error.errors[0]);
  return connectionCode(error.cause);
}

/** Whether trying again in a moment can't help: somebody must change an address or a certificate first. */
export function isLasting({ kind }: ConnectionFault): boolean {
  return lasting.has(kind);
}

/** Whether a page says that http was spoken to a port of https, in the words of Go's servers, nginx or Apache. */
export function speaksHttps(page: string): boolean {
  return /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|speaking plain HTTP to an SSL-enabled/i.test(page);
}

const lasting: ReadonlySet<ConnectionFault['kind']> = new Set([
  'too_long',
  'untrusted_certificate',
  'expired_certificate',
  'other_name',
  'speaks_http',
  'tls',
  'not_http',
]);

/** First match wins. */
const faults: readonly (readonly [code: RegExp, fault: ConnectionFault])[] = [
  [/^ECONNREFUSED$/, { kind: 'nobody', text: 'nothing listens there' }],
  [/^ENOTFOUND$/, { kind: 'unknown_host', text: 'there is no such host' }],
  [/^EAI_AGAIN$/, { kind: 'unknown_host', text: 'its name could not be looked up' }],
  [/^(EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN)$/, { kind: 'no_route', text: 'there is no route to it' }],
  [/^UND_ERR_CONNECT_TIMEOUT$/, { kind: 'slow', text: 'it did not take the connection in time' }],
  [/^UND_ERR_BODY_TIMEOUT$/, { kind: 'slow', text: 'its answer stopped coming' }],
  [/^(ETIMEDOUT|ESOCKETTIMEDOUT|TimeoutError|UND_ERR_HEADERS_TIMEOUT)$/, { kind: 'slow', text: 'it did not answer in time' }],
  [/^UND_ERR_RES_CONTENT_LENGTH_MISMATCH$/, { kind: 'cut', text: 'its answer does not have the length that it declares' }],
  [/^UND_ERR_RES_EXCEEDED_MAX_SIZE$/, { kind: 'too_long', text: 'its answer is longer than what is asked for can be' }],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_INFO)$/, { kind: 'cut', text: 'the connection was cut' }],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED)$/,
    {
      kind: 'untrusted_certificate',
      text: 'its certificate is self-signed or comes from an authority that is not known here',
      remedy: "set NODE_EXTRA_CA_CERTS to a PEM file with the authority's certificate (or with the self-signed one)",
    },
  ],
  [
    /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CRL_HAS_EXPIRED)$/,
    {
      kind: 'expired_certificate',
      text: 'its certificate is not valid at this time',
      remedy: 'renew the certificate, or correct the clock of this machine',
    },
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    { kind: 'other_name', text: 'its certificate is for another name', remedy: 'use a name that the certificate has' },
  ],
  [
    /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|ERR_SSL_HTTP_REQUEST)$/,
    { kind: 'speaks_http', text: 'https was asked for, and what answers does not speak it (most likely plain http)' },
  ],
  [/^(ERR_SSL_|ERR_TLS_|CERT_|CRL_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE)/, { kind: 'tls', text: 'TLS could not be agreed on' }],
  [/^(HPE_|HTTPParserError$|UND_ERR_HEADERS_OVERFLOW$)/, { kind: 'not_http', text: 'its answer is not HTTP (https, or another protocol)' }],
];
