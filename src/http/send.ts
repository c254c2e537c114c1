import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { hasBody, statedLength, waitsToSend } from './body.ts';
import type { EngineContext } from './context.ts';
import type { Refusal } from './door.ts';
import { whenClosed } from './when-closed.ts';

/** How much of a refused body is read and thrown away, and for how long, so that its sender gets to see the answer. */
const lingerBytes = 67_108_864;
const lingerMilliseconds = 3_000;
/** A body up to here is left to the parser, and the connection continues. */
const smallBodyBytes = 65_536;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** What `body` gives, where it is in memory and nobody changes it: written at once, and `body` is left alone. */
  readonly bytes?: Uint8Array;
  /** What `body` must amount to; absent, the answer is chunked. */
  readonly length?: number;
}

/**
 * Writes an answer's bytes straight to the connection, no faster than they are read. An error before the first bytes is
 * thrown, to be answered in the form of the door; a later one breaks the connection, so that no client takes the part
 * for the whole. A chunk is the body's to use again once the next is asked for: it has been handed to the system by
 * then.
 */
export async function sendBytes(context: EngineContext, request: FastifyRequest, reply: FastifyReply, answer: Answer): Promise<void> {
  const { bytes } = answer;
  if (bytes !== undefined) {
    sendWhole(context, request, reply, answer, bytes);
    return;
  }
  const chunks = answer.body[Symbol.asyncIterator]();
  let next = await chunks.next();
  const { length } = answer;
  const response = reply.raw;
  reply.hijack();
  try {
    writeHead(request, response, answer);
    while (!next.done) {
      request.bytesOut += next.value.length;
      if (length !== undefined && request.bytesOut > length) throw new Error('The body is longer than its stated length.');
      if (request.bytesOut === length) await flush(response, (flushed) => response.end(next.value, flushed));
      else await flush(response, (flushed) => response.write(next.value, flushed));
      next = await chunks.next();
    }
    if (length !== undefined && request.bytesOut !== length) throw new Error('The body is shorter than its stated length.');
    if (!response.writableEnded) response.end();
  } catch (error) {
    await chunks.return?.().catch(() => undefined);
    breakOff(context, request, reply, error);
  }
}

/** Head and body go to the system together, which has them as a rule when this returns. */
function sendWhole(context: EngineContext, request: FastifyRequest, reply: FastifyReply, answer: Answer, bytes: Uint8Array): void {
  const { length = bytes.byteLength } = answer;
  if (bytes.byteLength !== length) throw new Error('The body does not have its stated length.');
  const response = reply.raw;
  reply.hijack();
  if (response.destroyed || response.closed) {
    breakOff(context, request, reply, gone());
    return;
  }
  request.bytesOut = length;
  writeHead(request, response, answer);
  response.end(bytes);
}

function writeHead(request: FastifyRequest, response: ServerResponse, { status, headers, length }: Answer): void {
  response.writeHead(status, {
    ...headers,
    'x-request-id': request.id,
    ...(length === undefined ? {} : { 'content-length': length }),
  });
}

/**
 * Waits until the system has what `write` gives it; throws `cancelled` when the client has gone, or was dropped
 * (`letGoUnread`).
 */
async function flush(response: ServerResponse, write: (flushed: () => void) => void): Promise<void> {
  if (response.destroyed || response.closed) throw gone();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = (): void => (response.writableFinished ? resolve() : reject(gone()));
  response.once('close', closed);
  write(resolve);
  try {
    await promise;
  } finally {
    response.off('close', closed);
  }
}

/** Writes text, and waits while the client is behind with reading. */
export async function write(response: ServerResponse, text: string | Uint8Array): Promise<void> {
  await flush(response, (flushed) => response.write(text, flushed));
}

/** Ends a connection on which an answer was begun that cannot be finished. */
export function breakOff(context: EngineContext, request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const fields = { request_id: request.id, route: request.routeOptions.url, err: error };
  // Whoever has gone, or was cut off, may leave work behind that outlasts the database of a server that stops.
  const tooLate = reply.raw.closed && context.closing.aborted && isArtifactstoreError(error, 'database_unavailable');
  if (isArtifactstoreError(error, 'cancelled') || tooLate) context.log.info(fields, 'the client left before the answer was whole');
  else if (isArtifactstoreError(error, 'too_busy')) context.log.warn(fields, 'an answer was broken off');
  else context.log.error(fields, 'an answer was broken off');
  reply.raw.socket?.resetAndDestroy();
  reply.raw.destroy();
}

/**
 * Answers with a refusal. Of a body that was not read, a short one is skipped, and a long one ends the connection.
 */
export function sendRefusal(request: FastifyRequest, reply: FastifyReply, { status, headers, body }: Refusal): void {
  const { raw } = request;
  const length = statedLength(raw);
  const unread = !raw.complete && hasBody(raw);
  if (!unread || (length !== undefined && length <= smallBodyBytes && !waitsToSend(raw) && status !== 408)) {
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.code(status).serializer(String).send(body);
    return;
  }
  reply.hijack();
  const response = reply.raw;
  const allow = reply.getHeader('allow');
  response.writeHead(status, {
    ...headers,
    ...(allow === undefined ? {} : { allow: String(allow) }),
    'x-request-id': request.id,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  if (waitsToSend(raw) || status === 408 || raw.destroyed) {
    response.end(body);
    return;
  }
  // Closing while the sender still sends would reset the connection and could take the answer with it.
  response.write(body);
  let passed = 0;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerMilliseconds);
  raw.on('data', (chunk: Uint8Array) => {
    passed += chunk.length;
    if (passed > lingerBytes) end();
  });
  raw.on('end', end).on('error', end).on('close', end);
  // A reader of the body that was waiting leaves with the next chunk, and pauses what it has read.
  raw.on('pause', () => raw.resume());
  raw.resume();
}

/** Aborted with `cancelled` when the connection closes before the answer was whole; never after that. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const response = reply.raw;
  whenClosed(response, () => {
    if (!response.writableFinished) controller.abort(gone());
  });
  return controller.signal;
}

function gone(): ArtifactstoreError {
  return new ArtifactstoreError('cancelled', 'The client closed the connection.');
}
