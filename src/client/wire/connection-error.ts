import { ArtifactstoreError } from '../../kernel/error.ts';
import { type ConnectionFault, connectionCode, connectionFault, isLasting } from '../../runtime/connection-fault.ts';

/** Whether the connection failed, as against an answer that was not wished for. */
export function isConnectionFailure(error: unknown): boolean {
  const code = connectionCode(error);
  return code !== undefined && connectionFault(code) !== undefined;
}

/**
 * `server_unreachable`, with what is known of the cause, what to do, and whether the request can have reached the
 * server.
 */
export function connectionError(error: unknown, server: URL): ArtifactstoreError {
  const code = connectionCode(error) ?? 'unknown';
  const fault = connectionFault(code);
  const hint = fault === undefined ? undefined : hintFor(fault, server);
  return new ArtifactstoreError(
    'server_unreachable',
    `Can't reach the server at ${server.origin}: ${fault?.text ?? `the connection failed (${code})`}.`,
    {
      info: {
        cause: code,
        sent: fault === undefined || !(beforeSending.has(fault.kind) || code === 'UND_ERR_CONNECT_TIMEOUT' || isLasting(fault)),
        ...(fault !== undefined && isLasting(fault) ? { lasting: true } : {}),
        ...(hint === undefined ? {} : { hint }),
      },
      cause: error,
    },
  );
}

const beforeSending: ReadonlySet<ConnectionFault['kind']> = new Set(['nobody', 'unknown_host', 'no_route']);

/** Undefined where the general hint of the code is right: that no server is there. */
function hintFor(fault: ConnectionFault, server: URL): string | undefined {
  const setting = 'ARTIFACTSTORE_API_URL (or --api-url)';
  if (fault.remedy !== undefined) return fault.remedy;
  if (fault.kind === 'speaks_http') return `write http:// in ${setting}, or put the server behind https`;
  if (fault.kind === 'not_http') return `is it https? Then write https:// in ${setting}`;
  if (fault.kind === 'tls') return `look at the TLS settings of what listens there, and at ${setting}`;
  if (fault.kind === 'cut' && server.protocol === 'http:')
    return `where it is always cut, look whether https is spoken there (${setting}), and what is in front of the server`;
  if (fault.kind === 'cut' || fault.kind === 'slow') return 'look at the log of the server, and at what is in front of it';
  return undefined;
}
