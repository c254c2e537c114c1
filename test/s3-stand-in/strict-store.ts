import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { attributesOf } from './attributes.ts';
import { receiveBody } from './body.ts';
import { type Answer, type Exchange, targetOf } from './exchange.ts';
import { type Faults, planFaults, refusalOf, type Strike } from './faults.ts';
import type { Lies } from './lies.ts';
import { operationOf, perform } from './operations.ts';
import { Refusal, refuse } from './refusal.ts';
import { type Grant, type Signed, verifySignature } from './signature.ts';
import { addVersion, type Bucket, md5, newBucket, type State, shown, sortedKeys, type Version } from './state.ts';
import { document } from './xml.ts';

export type { Faults } from './faults.ts';
export { type Lie, type Lies, lies } from './lies.ts';
export type { Grant } from './signature.ts';
export type { Version } from './state.ts';

export interface StrictStoreOptions {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** us-east-1 by default. */
  readonly region?: string;
  /** What there is at first; `artifacts` by default. */
  readonly buckets?: readonly string[];
  /** Buckets that are there and belong to somebody else. */
  readonly foreignBuckets?: readonly string[];
  /** Temporary keys, and others that reach less than everything. */
  readonly sessionTokens?: readonly Grant[];
  /** 5 MiB by default, as AWS has it; less makes tests faster. */
  readonly minimumPartBytes?: number;
  readonly lies?: Lies;
  readonly faults?: Faults;
  readonly clock?: () => number;
}

/** An S3 server that is as strict as AWS where its answers are described, or lies where it is told to. */
export interface StrictStore extends AsyncDisposable {
  readonly url: string;
  /** The same server under a name, for virtual-hosted style: `<bucket>.localhost`. */
  readonly virtualUrl: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** How many requests came, by operation; refused ones too. */
  readonly requests: Readonly<Record<string, number>>;
  /** The keys that show something, in order. */
  objects(bucket: string): readonly string[];
  /** What a key shows, with everything that is known about it. */
  object(bucket: string, key: string): Version | undefined;
  /** The keys of uploads that are neither complete nor aborted. */
  uploads(bucket: string): readonly string[];
  /** Puts bytes behind a key without a request: many, or other bytes than were written. */
  place(bucket: string, key: string, body: string | Uint8Array): void;
  /** From now on; undefined ends them. */
  setFaults(faults: Faults | undefined): void;
  /** Lets one more key in. */
  admit(grant: Grant): void;
  /** Lets a key in no longer. */
  revoke(accessKeyId: string): void;
  close(): Promise<void>;
}

/** Starts a store on a port of its own of 127.0.0.1. */
export async function openStrictStore(options: StrictStoreOptions = {}): Promise<StrictStore> {
  const { accessKeyId = 'AKIASTRICTSTORE00001', secretAccessKey = randomBytes(30).toString('base64'), region = 'us-east-1' } = options;
  const clock = options.clock ?? Date.now;
  const lies = options.lies ?? {};
  const state: State = { region, minimumPartBytes: options.minimumPartBytes ?? 5 * 1024 ** 2, lies, clock, buckets: new Map() };
  for (const name of options.buckets ?? ['artifacts']) state.buckets.set(name, newBucket(name, clock()));
  for (const name of options.foreignBuckets ?? []) state.buckets.set(name, newBucket(name, clock(), { own: false }));
  const grants: Grant[] = [{ accessKeyId, secretAccessKey }, ...(options.sessionTokens ?? [])];
  const requests: Record<string, number> = {};
  let plan = planFaults(options.faults);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {});
    response.on('error', () => {});
    const answering: Answering = { request, response, strike: undefined, operation: '' };
    try {
      const target = targetOf(request);
      const copies = request.headers['x-amz-copy-source'] !== undefined || target.query.has('x-amz-copy-source');
      answering.operation = operationOf(target, copies);
      requests[answering.operation] = (requests[answering.operation] ?? 0) + 1;
      const strike = plan.strike(answering.operation, target.key);
      answering.strike = strike;
      if (strike?.stopAnswering === true) return;
      if (strike?.resetConnection === true) return void request.socket.resetAndDestroy();
      if (strike?.delayMilliseconds !== undefined) await delay(strike.delayMilliseconds);
      await strike?.holdUntil;
      const refusal = refusalOf(strike, answering.operation);
      if (refusal !== undefined) throw refusal;
      const signed = verifySignature(request, target, { region, clock, lies, grants });
      const headers = headersOf(request, target.query, signed);
      const exchange: Exchange = {
        ...target,
        key: lies.normalisedKeys === true ? normalised(target.key) : target.key,
        operation: answering.operation,
        headers,
        grant: signed.grant,
        receive: () => receiveBody({ request, response, headers, signed, lies, bytesPerSecond: strike?.slowBodyBytesPerSecond }),
      };
      await send(answering, await perform(state, exchange));
    } catch (error) {
      await send(answering, errorAnswer(error, request));
    }
  }

  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 60_000 }, handle);
  server.on('checkContinue', handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  function bucketOf(name: string): Bucket {
    const found = state.buckets.get(name);
    if (found === undefined) throw new Error(`there is no bucket ${name}`);
    return found;
  }

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  return {
    url: `http://127.0.0.1:${port}`,
    virtualUrl: `http://localhost:${port}`,
    accessKeyId,
    secretAccessKey,
    region,
    requests,
    objects: (bucket) => sortedKeys(bucketOf(bucket)).filter((key) => shown(bucketOf(bucket), key) !== undefined),
    object: (bucket, key) => shown(bucketOf(bucket), key),
    uploads: (bucket) => [...bucketOf(bucket).uploads.values()].map((upload) => upload.key),
    place(bucket, key, body) {
      const attributes = attributesOf({}, bucketOf(bucket), clock(), {});
      const bytes = Buffer.from(body);
      const derived = { key, body: bytes, etag: md5(bytes), deleteMarker: false, checksum: undefined, partSizes: undefined };
      addVersion(state, bucketOf(bucket), { ...attributes, ...derived });
    },
    setFaults(faults) {
      plan = planFaults(faults);
    },
    admit(grant) {
      grants.push(grant);
    },
    revoke(id) {
      grants.splice(0, grants.length, ...grants.filter((grant) => grant.accessKeyId !== id));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Answering {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  strike: Strike | undefined;
  operation: string;
}

async function send({ request, response, strike, operation }: Answering, answer: Answer): Promise<void> {
  if (request.socket.destroyed || response.headersSent) return;
  if (strike?.dropAnswerAfter === operation && answer.status < 300) return void request.socket.destroy();
  const body = Buffer.from(answer.body ?? '');
  const head: Record<string, string> = {
    ...(typeof answer.body === 'string' && answer.body !== '' ? { 'content-type': 'application/xml' } : {}),
    'x-amz-request-id': randomBytes(8).toString('hex').toUpperCase(),
    'x-amz-id-2': randomBytes(16).toString('base64'),
    ...(answer.status === 204 || answer.status === 304 ? {} : { 'content-length': String(answer.length ?? body.length) }),
    ...answer.headers,
    // What is left of a body that nobody reads must not be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
  };
  response.writeHead(answer.status, head);
  if (!request.complete) request.resume();
  if (request.method === 'HEAD') return void response.end();
  const cut = operation === 'GetObject' ? strike?.cutDownloadAfterBytes : undefined;
  const sent = cut === undefined ? body : body.subarray(0, cut);
  await write(response, sent, strike?.slowBodyBytesPerSecond);
  if (sent.length < body.length) {
    await delay(20);
    request.socket.resetAndDestroy();
  } else response.end();
}

async function write(response: ServerResponse, body: Buffer, bytesPerSecond: number | undefined): Promise<void> {
  if (bytesPerSecond === undefined) return void response.write(body);
  const step = Math.max(1, Math.floor(bytesPerSecond / 20));
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    await delay(50);
    response.write(body.subarray(at, at + step));
  }
}

function errorAnswer(error: unknown, request: IncomingMessage): Answer {
  const refusal = error instanceof Refusal ? error : refuse('InternalError', { Message: `A fault of this store: ${String(error)}` });
  const RequestId = randomBytes(8).toString('hex').toUpperCase();
  const { Message: _, ...details } = refusal.details;
  const resource = (request.url ?? '/').split('?')[0] ?? '/';
  const body = document('Error', { Code: refusal.code, Message: refusal.message, ...details, Resource: resource, RequestId }, '');
  return { status: refusal.status, headers: { 'x-amz-request-id': RequestId, ...refusal.headers }, body };
}

/** A presigned URL says in its query what it would have said in x-amz-* headers. */
function headersOf(request: IncomingMessage, query: ReadonlyMap<string, string>, { presigned }: Signed): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (presigned) {
    for (const [name, value] of query) if (/^x-amz-/i.test(name)) headers[name.toLowerCase()] = value;
  }
  for (const [name, values] of Object.entries(request.headersDistinct)) headers[name] = (values ?? []).join(',');
  return headers;
}

function normalised(key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
