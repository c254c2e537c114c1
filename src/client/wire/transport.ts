import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { renewedBearer } from '../bearer/renewed.ts';
import { sourceOf, type Token } from '../bearer/token.ts';
import { type WireAnswer, wireAnswer } from './answer.ts';
import { connectionError, isConnectionFailure } from './connection-error.ts';
import { ofDeclaredLength } from './declared-length.ts';
import { problemError } from './problem-error.ts';
import { createRetry, type RetryOptions } from './retry.ts';

export interface TransportOptions extends RetryOptions {
  /** `http://` or `https://`, with a path in front of the API's where there is one. */
  readonly url: string;
  /**
   * A token, a function that gives one, or a source (`tokenFromFile` and others). Of a function or source another is
   * asked for, once for all requests, when a token ends or the server refuses it.
   */
  readonly token?: Token | undefined;
  /** How many connections are open at once; further requests wait. */
  readonly connections?: number;
  readonly userAgent?: string;
  /** How long an answer that brings less than a KiB in a second is waited for, in seconds; 120 where absent. */
  readonly slowSeconds?: number;
}

export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Percent-encoded, from the API's root, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Whether sending it twice is the same as sending it once. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type RequestBody = Uint8Array | StreamedBody;

export interface StreamedBody {
  open(): AsyncIterable<Uint8Array>;
  /** Whether `open` gives the same bytes again. */
  readonly reopenable: boolean;
  readonly sizeBytes?: number;
}

/** HTTP to one server, over kept-alive connections. */
export interface Transport {
  /**
   * Sends the request, again where that is safe, and answers what `read` makes of a good answer. Reading belongs to the
   * attempt: an answer that breaks off is asked for again. Errors: what the server's problem document says; what a
   * proxy's page means; `unexpected_answer`; `server_unreachable`; `cancelled`.
   */
  exchange<T>(request: WireRequest, read: (answer: WireAnswer) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createTransport(options: TransportOptions): Transport {
  const base = new URL(options.url);
  const prefix = base.pathname.replace(/\/+$/, '');
  const agent = new Agent({ connections: options.connections ?? 64, keepAliveTimeout: 30_000, connect: { timeout: 10_000 } });
  const retry = createRetry(options);
  const bearer = options.token === undefined ? undefined : renewedBearer(sourceOf(options.token));
  const fixed = { 'user-agent': options.userAgent ?? 'artifactstore' };

  /**
   * A server says who it does not know before it does anything: the request goes again with another token, once,
   * whatever it is, if its body can. The answer to that is the answer.
   */
  async function attempt<T>(request: WireRequest, read: (answer: WireAnswer) => Promise<T>): Promise<T> {
    if (bearer === undefined) return await send(request, read, undefined);
    let token = await bearer.token(request.signal);
    try {
      try {
        return await send(request, read, token);
      } catch (error) {
        if (!isArtifactstoreError(error, 'unauthorized') || !canGoAgain(request)) throw error;
        const another = await bearer.another(token, request.signal);
        if (another === undefined) throw error;
        token = another;
        return await send(request, read, token);
      }
    } catch (error) {
      throw isArtifactstoreError(error, 'unauthorized') ? bearer.explained(error, token) : error;
    }
  }

  async function send<T>(request: WireRequest, read: (answer: WireAnswer) => Promise<T>, token: string | undefined): Promise<T> {
    const upload = openBody(request.body);
    try {
      const answer = await agent.request({
        origin: base.origin,
        path: prefix + request.path,
        method: request.method,
        headers: { ...fixed, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...upload.headers, ...request.headers },
        body: upload.body,
        signal: request.signal ?? null,
      });
      retry.heard();
      const url = `${base.origin}${prefix}${request.path.replace(/\?.*$/s, '')}`;
      if (answer.statusCode >= 300) throw await problemError(answer, url, options.slowSeconds);
      return await read(wireAnswer(answer, url, options.slowSeconds));
    } catch (error) {
      // A body that can't be read is the sender's failure, whatever it does to the connection.
      const failure = upload.failure() ?? error;
      if (request.signal?.aborted === true) throw new ArtifactstoreError('cancelled', 'The request was stopped.', { cause: failure });
      if (isConnectionFailure(failure)) throw connectionError(failure, base);
      throw failure;
    }
  }

  return {
    exchange: (request, read) =>
      retry.run(() => attempt(request, read), {
        repeatable: request.repeatable && canGoAgain(request),
        signal: request.signal,
      }),
    close: () => agent.destroy(),
  };
}

function canGoAgain({ body }: WireRequest): boolean {
  return !isStreamed(body) || body.reopenable;
}

function isStreamed(body: RequestBody | undefined): body is StreamedBody {
  return body !== undefined && !(body instanceof Uint8Array);
}

function openBody(body: RequestBody | undefined): {
  readonly body: Uint8Array | Readable | null;
  readonly headers: Readonly<Record<string, string>>;
  failure(): unknown;
} {
  if (!isStreamed(body)) return { body: body ?? null, headers: {}, failure: () => undefined };
  const { sizeBytes } = body;
  let failed: unknown;
  async function* watched(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    try {
      yield* sizeBytes === undefined ? source : ofDeclaredLength(source, sizeBytes);
    } catch (error) {
      failed = error;
      throw error;
    }
  }
  return {
    body: Readable.from(watched(body.open()), { objectMode: false, highWaterMark: 1_048_576 }),
    headers: sizeBytes === undefined ? {} : { 'content-length': String(sizeBytes) },
    failure: () => failed,
  };
}
