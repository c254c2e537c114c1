import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Door, Refusal } from './door.ts';
import { limitOf } from './limited.ts';
import type { Limits } from './limits.ts';
import { whenClosed } from './when-closed.ts';

type HeadLimits = Pick<Limits, 'headerBytes' | 'headersTimeout'>;

/**
 * Answers what the HTTP parser refuses, and so never becomes a request: a refusal, whose id is in the log, and the end
 * of the connection.
 */
export interface NotUnderstood {
  refuse(error: NodeJS.ErrnoException, socket: Duplex): void;
  /** Writes the line of the log alone. */
  note(requestId: string, error: ArtifactstoreError, refusal: Refusal): void;
  watch(server: Server): void;
}

export function answerNotUnderstood(
  log: Logger,
  limits: HeadLimits,
  limited: (limit: string) => void,
  refuseAs: Door['refuse'],
): NotUnderstood {
  const inFlight = new WeakMap<Duplex, Open[]>();
  const refused = new WeakSet<Duplex>();

  const note: NotUnderstood['note'] = (request_id, { code }, { status }) =>
    log.info({ request_id, status, code }, 'a request was not understood');

  const refuse = (error: ArtifactstoreError, socket: Duplex): void => {
    // What comes after it on this connection is not understood either.
    if (refused.has(socket)) return;
    refused.add(socket);
    const requestId = randomUUID();
    const refusal = refuseAs(error, requestId);
    note(requestId, error, refusal);
    const limit = limitOf(error);
    if (limit !== undefined) limited(limit);
    if (!socket.writable) return void socket.destroy();
    const end = (): void => void socket.end(asHttp(refusal, requestId));
    const open = inFlight.get(socket) ?? [];
    const { response, request } = open.at(-1) ?? {};
    if (response === undefined || request === undefined) end();
    // It came behind whole requests: their answers are first.
    else if (request.complete) whenClosed(response, end);
    // It is in the body of a request: answered in its place, unless an answer has begun, which nothing may be written
    // into.
    else if (open.length === 1 && !response.headersSent) end();
    else socket.destroy();
  };

  return {
    note,
    refuse(error, socket) {
      if (isOfConnection(error.code)) socket.destroy();
      else refuse(asError(error.code, limits), socket);
    },
    watch(server) {
      server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
        // A list, for what is said of `Places`.
        const open = inFlight.get(request.socket) ?? [];
        if (open.push({ request, response }) === 1) inFlight.set(request.socket, open);
        whenClosed(
          response,
          () =>
            void open.splice(
              open.findIndex((each) => each.response === response),
              1,
            ),
        );
      });
      server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
        socket.on('error', () => undefined);
        refuse(new ArtifactstoreError('malformed_request', 'CONNECT is for a proxy, and this is none.'), socket);
      });
    },
  };
}

interface Open {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The client is gone, as one that has all it wanted mostly is: nothing was asked, and nobody hears an answer. */
function isOfConnection(code: string | undefined): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function asHttp({ status, headers, body }: Refusal, requestId: string): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `x-request-id: ${requestId}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

function asError(code: string | undefined, { headerBytes, headersTimeout }: HeadLimits): ArtifactstoreError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ArtifactstoreError('headers_too_large', 'The headers are too large.', {
      info: { bound: 'header_bytes', limit: headerBytes },
    });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ArtifactstoreError('request_timeout', 'The headers took too long to arrive.', {
      info: { bound: 'headers_timeout', limit: headersTimeout / 1000 },
    });
  if (code === 'HPE_INVALID_URL')
    return new ArtifactstoreError(
      'malformed_request',
      'The URL has a character that must be percent-encoded, as UTF-8: "ü" is %C3%BC. For a query curl does it with -G --data-urlencode.',
    );
  return new ArtifactstoreError('malformed_request', 'This is not well-formed HTTP/1.1.');
}
