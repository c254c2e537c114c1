import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { hasBody, statedLength, waitsToSend } from './body.ts';
import { problemHeaders, toProblem } from './problem.ts';
import type { RouteContext } from './route.ts';

/** How much of a refused body is read and thrown away, and for how long, so that its sender gets to see the answer. */
const lingerBytes = 67_108_864;
const lingerMilliseconds = 3_000;
/** A body up to here is left to the parser, and the connection goes on. */
const smallBodyBytes = 65_536;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** What `body` must amount to; absent, the answer is chunked. */
  readonly length?: number;
}

/**
 * Writes an answer's bytes straight to the connection, no faster than they are read. An error before the first bytes is thrown, to be answered
 * as a problem; a later one breaks the connection, so that no client takes the part for the whole.
 */
export async function sendBytes(context: RouteContext, request: FastifyRequest, reply: FastifyReply, answer: Answer): Promise<void> {
  const chunks = answer.body[Symbol.asyncIterator]();
  let next = await chunks.next();
  const response = reply.raw;
  reply.hijack();
  try {
    response.writeHead(answer.status, {
      ...answer.headers,
      'x-request-id': request.id,
      ...(answer.length === undefined ? {} : { 'content-length': answer.length }),
    });
    while (!next.done) {
      const chunk = next.value;
      request.bytesOut += chunk.length;
      if (answer.length !== undefined && request.bytesOut > answer.length) throw new Error('The body is longer than its stated length.');
      // The last bytes go out with the end of the answer once nothing follows them.
      if (request.bytesOut === answer.length) {
        next = await chunks.next();
        if (!next.done) throw new Error('The body is longer than its stated length.');
        guardStall(response, context.limits.idleTimeout);
        response.end(chunk);
        return;
      }
      await write(response, chunk, context.limits.idleTimeout);
      next = await chunks.next();
    }
    if (answer.length !== undefined && request.bytesOut !== answer.length) throw new Error('The body is shorter than its stated length.');
    response.end();
  } catch (error) {
    await chunks.return?.().catch(() => undefined);
    breakOff(context, request, reply, error);
  }
}

/** Writes, and waits while the client is behind; throws `cancelled` when it has gone, or reads nothing for `stallTimeout`. */
export async function write(response: ServerResponse, chunk: Uint8Array | string, stallTimeout: number): Promise<void> {
  if (response.destroyed || response.closed) throw gone();
  if (response.write(chunk)) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const drained = (): void => resolve();
  const closed = (): void => reject(gone());
  response.once('drain', drained).once('close', closed);
  guardStall(response, stallTimeout);
  try {
    await promise;
    response.socket?.setTimeout(0);
  } finally {
    response.off('drain', drained).off('close', closed);
  }
}

/** Ends a connection on which an answer was begun that cannot be finished. */
export function breakOff(context: RouteContext, request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const fields = { request_id: request.id, route: request.routeOptions.url, err: error };
  if (isArtifactstoreError(error, 'cancelled')) context.log.info(fields, 'the client left before the answer was whole');
  else context.log.error(fields, 'an answer was broken off');
  reply.raw.socket?.resetAndDestroy();
  reply.raw.destroy();
}

/** Answers with a problem. Of a body that was not read, a short one is passed over, and a long one ends the connection. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const problem = toProblem(error, request.id);
  const headers = problemHeaders(problem);
  const text = JSON.stringify(problem);
  const { raw } = request;
  const length = statedLength(raw);
  const unread = !raw.complete && hasBody(raw);
  if (!unread || (length !== undefined && length <= smallBodyBytes && !waitsToSend(raw) && problem.status !== 408)) {
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.code(problem.status).serializer(String).send(text);
    return;
  }
  reply.hijack();
  const response = reply.raw;
  const allow = reply.getHeader('allow');
  response.writeHead(problem.status, {
    ...headers,
    ...(allow === undefined ? {} : { allow: String(allow) }),
    'x-request-id': request.id,
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  if (waitsToSend(raw) || problem.status === 408 || raw.destroyed) {
    response.end(text);
    return;
  }
  // Closing while the sender still sends would reset the connection and could take the answer with it.
  response.write(text);
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
  raw.resume();
}

/** Aborted when the client goes away before it was answered, or the server stops where `closing` is given. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const response = reply.raw;
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(gone());
  });
  return controller.signal;
}

/** The socket's own timer sees partial progress; the server destroys a socket whose timer runs out. */
function guardStall(response: ServerResponse, stallTimeout: number): void {
  if (response.writableLength > 0) response.socket?.setTimeout(stallTimeout);
}

function gone(): ArtifactstoreError {
  return new ArtifactstoreError('cancelled', 'The client closed the connection.');
}
