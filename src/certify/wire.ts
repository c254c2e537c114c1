import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Keys } from '../credentials/CREDENTIALS.ts';
import { sha256, signInHeader, signInQuery } from '../protocol/aws-signature.ts';
import { connectionFault } from '../runtime/connection-fault.ts';
import { throwIfStopped } from '../runtime/stop.ts';
import { addressOf } from '../storage/s3/address.ts';
import { type Connection, endpointOf } from '../storage/s3/settings.ts';
import { elementText } from './xml.ts';

/** One request, right or wrong as it says. */
export interface Call {
  /** GET by default. */
  readonly method?: string;
  /** The connection's by default; empty for the store as a whole. */
  readonly bucket?: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** By lower-case name; sent and signed. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent and not signed; they replace what was signed under the same name. */
  readonly loose?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** What the signature says of the body: its SHA-256 by default, `UNSIGNED-PAYLOAD` where it is in the query. */
  readonly payload?: string;
  /** In the header by default; in the query for so many seconds; or not at all. */
  readonly signing?: 'header' | 'none' | { readonly expiresSeconds: number };
  /** When it claims to be made; the store's own time by default. */
  readonly date?: Date;
  readonly keys?: Keys;
  /**
   * `expect`: asks before it sends the body. `cut`: sends what there is of the body, which is less than announced, and
   * hangs up.
   */
  readonly transfer?: 'whole' | 'expect' | 'cut';
  readonly patienceMilliseconds?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The code in the error's XML, wherever it came. */
  readonly code: string | undefined;
  /** Whether the store said that it wants the body. */
  readonly continued: boolean;
}

/**
 * Sends requests exactly as they are told, and answers whatever comes back: a refusal is an answer. Throws when nothing
 * comes back.
 */
export interface Wire {
  send(call: Call): Promise<Reply>;
  /** Where such a call would go, signed in the query. */
  address(call: Call): Promise<string>;
  /** How far the store's clock is ahead of ours, in milliseconds, by the last answer that had a date. */
  readonly clockAheadMilliseconds: number;
  close(): void;
}

export interface WireOptions {
  readonly connection: Connection;
  readonly now: () => number;
  /** Until an answer is there. */
  readonly patienceMilliseconds: number;
  readonly signal: AbortSignal | undefined;
}

interface Prepared {
  readonly method: string;
  readonly host: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export function openWire({ connection, now, patienceMilliseconds, signal }: WireOptions): Wire {
  const root = new URL(endpointOf(connection));
  const secure = root.protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true, maxSockets }) : new HttpAgent({ keepAlive: true, maxSockets });
  let clockAheadMilliseconds = 0;

  async function prepare(call: Call): Promise<Prepared> {
    const body = typeof call.body === 'string' ? Buffer.from(call.body) : (call.body ?? new Uint8Array());
    const { host, path } = addressOf(connection, call.bucket ?? connection.bucket, call.key);
    const { signing = 'header', method = 'GET' } = call;
    const date = call.date ?? new Date(now() + clockAheadMilliseconds);
    const unsigned = { method, path, query: call.query ?? {}, headers: { host, ...call.headers }, date, region: connection.region };
    const keys = call.keys ?? (await connection.credentials.keys());
    const signed =
      signing === 'header'
        ? signInHeader({ ...unsigned, payload: call.payload ?? sha256(body), keys })
        : signing === 'none'
          ? { headers: unsigned.headers, query: new URLSearchParams(unsigned.query).toString() }
          : signInQuery({ ...unsigned, payload: call.payload ?? 'UNSIGNED-PAYLOAD', keys }, signing.expiresSeconds);
    const headers: Record<string, string> = { ...signed.headers, ...call.loose };
    if (call.transfer === 'expect') headers.expect = '100-continue';
    if (headers['content-length'] === undefined && (call.body !== undefined || method === 'PUT' || method === 'POST'))
      headers['content-length'] = String(body.byteLength);
    return { method, host, path: signed.query === '' ? path : `${path}?${signed.query}`, headers, body };
  }

  function start({ method, host, path, headers }: Prepared, transfer: Call['transfer']): ClientRequest {
    const { hostname, port } = new URL(`${root.protocol}//${host}`);
    return (secure ? httpsRequest : httpRequest)({
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      method,
      path,
      headers,
      agent: transfer === 'cut' ? false : agent,
      ...(signal === undefined || transfer === 'cut' ? {} : { signal }),
    });
  }

  async function once(call: Call): Promise<Reply> {
    throwIfStopped(signal);
    const sentAt = now();
    const prepared = await prepare(call);
    const { body } = prepared;
    const request = start(prepared, call.transfer);
    const patience = call.patienceMilliseconds ?? patienceMilliseconds;
    let continued = false;
    const answer = answerOf(request, patience);
    if (call.transfer === 'expect') {
      let isSent = false;
      const sendBody = (): void => {
        if (!isSent) request.end(body);
        isSent = true;
      };
      request.on('continue', () => {
        continued = !isSent;
        sendBody();
      });
      request.flushHeaders();
      // As clients do: after a while the body goes unasked. The permission may still come.
      const unasked = setTimeout(sendBody, patience / 2);
      answer.finally(() => clearTimeout(unasked)).catch(() => undefined);
    } else if (call.transfer === 'cut') {
      request.write(body, () => setTimeout(() => request.destroy(), cutMilliseconds));
    } else request.end(body);
    const response = await answer;
    const date = Date.parse(response.headers.date ?? '');
    if (!Number.isNaN(date)) clockAheadMilliseconds = aheadOf(date, sentAt, now());
    return { ...response, continued };
  }

  return {
    async send(call) {
      for (let attempt = 1; ; attempt++) {
        const reply = await once(call).catch((error: NodeJS.ErrnoException & { readonly reused?: boolean }) => {
          throwIfStopped(signal);
          // A connection that was kept and had ended meanwhile says nothing about the request.
          if (error.reused === true && connectionFault(error.code ?? '')?.kind === 'cut' && attempt < attempts) return undefined;
          throw error;
        });
        const busy = reply?.status === 503 || reply?.status === 429;
        if (reply !== undefined && (!busy || attempt >= attempts)) return reply;
        if (reply !== undefined) await sleep(100 * 2 ** attempt);
      }
    },
    async address(call) {
      const { host, path } = await prepare(call);
      return `${root.protocol}//${host}${path}`;
    },
    get clockAheadMilliseconds() {
      return clockAheadMilliseconds;
    },
    close: () => agent.destroy(),
  };
}

function answerOf(request: ClientRequest, patienceMilliseconds: number): Promise<Omit<Reply, 'continued'>> {
  return new Promise((resolve, reject) => {
    const late = Object.assign(new Error(`no answer in ${patienceMilliseconds} ms`), { code: 'ETIMEDOUT' });
    const timer = setTimeout(() => request.destroy(late), patienceMilliseconds);
    const refuse = (error: Error): void => {
      clearTimeout(timer);
      reject(Object.assign(error, { reused: request.reusedSocket }));
    };
    request.on('error', refuse);
    request.on('close', () => refuse(Object.assign(new Error('the connection ended without an answer'), { code: 'ECONNRESET' })));
    request.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('error', refuse);
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('end', () => {
        clearTimeout(timer);
        const body = Buffer.concat(chunks);
        const { statusCode: status = 0, headers } = response;
        const xml = body.length < 65_536 && body.includes('<Error>') ? body.toString() : '';
        resolve({ status, headers, body, code: elementText(xml, 'Code') });
      });
    });
  });
}

/**
 * The date was made at any time between the request and its answer, which may have been long on the way: what can be
 * explained so is no difference of clocks. Dates have no fractions: less than two seconds is none either.
 */
function aheadOf(date: number, sentAt: number, receivedAt: number): number {
  const least = date - receivedAt;
  if (least >= 2000) return least;
  const most = date - sentAt;
  return most <= -2000 ? most : 0;
}

const maxSockets = 64;
const attempts = 4;
/** How long a body that is cut short lies there before the connection ends. */
const cutMilliseconds = 100;
