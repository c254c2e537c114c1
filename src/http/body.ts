import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { ArtifactstoreError } from '../kernel/error.ts';
import { beginJson, type JsonLimits, type JsonValue, parseJson } from '../kernel/format/json.ts';
import { parseParameters } from '../protocol/part-head.ts';
import type { FairTurns } from '../runtime/fair-turns.ts';
import { giveBack } from '../runtime/give-back.ts';
import { afterCollection } from '../runtime/heap.ts';
import type { Limits } from './limits.ts';
import type { MemoryAccount } from './memory.ts';
import { checkedBody, fieldsOf, refuseLateDigests, statedDigests } from './stated-digests.ts';

type BodyLimits = Pick<Limits, 'idleTimeout' | 'uploadBytesPerSecond'>;

/** How many chunks of 64 KiB wait for their reader before the connection is told to. */
const waitingChunks = 8;

/**
 * Requests whose sender waits for "100 Continue" before it sends the body (RFC 9110 section 10.1.1), with what gives
 * the word.
 */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * Leaves "100 Continue" to whoever reads the body: a request that is refused for its headers is answered before a byte
 * of it was sent.
 */
export function deferContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response);
    server.emit('request', request, response);
  });
  // An expectation that nobody here can meet is refused like any other request, in words.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response));
}

/**
 * Refuses what the HTTP parser lets pass: a body in a coding that is not undone, and an expectation that is not met.
 */
export function refuseFraming({ headers }: IncomingMessage): void {
  const { 'transfer-encoding': coding, expect } = headers;
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    throw new ArtifactstoreError('unsupported_media_type', `The only accepted transfer coding is "chunked", not "${coding}".`, {
      field: 'transfer-encoding',
    });
  if (expect !== undefined && expect.trim().toLowerCase() !== '100-continue')
    throw new ArtifactstoreError('expectation_failed', 'The only accepted expectation is "100-continue".', { field: 'expect' });
}

export function waitsToSend(request: IncomingMessage): boolean {
  return waiting.has(request);
}

/**
 * The body as it arrives, for one reader. It ends cleanly only when the whole body was received: a sender that goes
 * away is `cancelled`, one that falls silent for `idleTimeout`, or is slower than the least rate, is `request_timeout`.
 * Leaving early keeps the connection, so that it can still be answered.
 */
export async function* readBody(request: FastifyRequest, limits: BodyLimits): AsyncGenerator<Uint8Array, void, undefined> {
  const { raw } = request;
  let failure: ArtifactstoreError | undefined;
  let wake = Promise.withResolvers<void>();
  let asleep = false;
  // Only the time in which the sender is waited for counts: a slow disk is not its fault.
  let waited = 0;
  let received = request.bytesIn;
  // Chunks as the parser gives them: reading on demand would join, and so copy, those that wait.
  const arrived: Uint8Array[] = [];
  const rouse = (): void => wake.resolve();
  const take = (chunk: Uint8Array): void => {
    arrived.push(chunk);
    if (arrived.length >= waitingChunks) raw.pause();
    wake.resolve();
  };
  const lost = (): void => {
    if (!raw.readableEnded) failure ??= new ArtifactstoreError('cancelled', 'The connection was lost before the whole body had arrived.');
    wake.resolve();
  };
  const fallSilent = async (): Promise<void> => {
    const waiting = wake;
    // When this process was held up, bytes may have come and not been read yet: they are read before that is judged.
    await setImmediate();
    if (!asleep || wake !== waiting) return;
    failure ??= tooSlow('idle_timeout', limits.idleTimeout / 1000, `No byte of the body arrived for ${limits.idleTimeout / 1000} seconds.`);
    wake.resolve();
  };
  const idle = setTimeout(() => void (asleep && fallSilent()), limits.idleTimeout);
  raw.on('data', take).on('end', rouse).on('error', lost).on('close', lost);
  // Of a request that was answered before its end, Node tells nothing more.
  const { socket } = raw;
  socket.on('close', lost);
  waiting.get(raw)?.writeContinue();
  waiting.delete(raw);
  try {
    if (raw.destroyed) lost();
    for (;;) {
      if (failure !== undefined) throw failure;
      const chunk = arrived.shift();
      if (chunk !== undefined) {
        request.bytesIn += chunk.length;
        yield chunk;
        continue;
      }
      if (raw.readableEnded) break;
      if (raw.isPaused()) raw.resume();
      idle.refresh();
      asleep = true;
      const from = performance.now();
      await wake.promise;
      asleep = false;
      waited += performance.now() - from;
      if (waited >= limits.idleTimeout) {
        const least = (limits.uploadBytesPerSecond * waited) / 1000;
        if (request.bytesIn - received < least && !raw.complete)
          failure ??= tooSlow(
            'upload_bytes_per_second',
            limits.uploadBytesPerSecond,
            `The body arrived more slowly than ${limits.uploadBytesPerSecond} bytes a second.`,
          );
        waited = 0;
        received = request.bytesIn;
      }
      wake = Promise.withResolvers<void>();
    }
    if (!raw.complete) throw new ArtifactstoreError('cancelled', 'The connection was lost before the whole body had arrived.');
  } finally {
    clearTimeout(idle);
    raw.off('data', take).off('end', rouse).off('error', lost).off('close', lost);
    socket.off('close', lost);
    if (!raw.readableEnded) raw.pause();
    // A socket that breaks after its reader left is nobody's surprise.
    raw.on('error', () => {});
  }
}

/** The body as `readBody` gives it, held to the digests that its headers state of it as a whole. */
export async function* readChecked(request: FastifyRequest, limits: BodyLimits): AsyncGenerator<Uint8Array, void, undefined> {
  const { headers } = request.raw;
  refuseLateDigests(headers.trailer);
  const digests = statedDigests(fieldsOf(headers));
  yield* digests.size === 0 ? readBody(request, limits) : checkedBody(readBody(request, limits), digests);
}

/** The same chunks, each valid only until the next is asked for: its memory is given back then. */
export async function* readOnce(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    yield chunk;
    giveBack(chunk);
  }
}

/** The length that the sender states, or undefined for a chunked body. The HTTP parser holds the sender to it. */
export function statedLength(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (statedLength(request) ?? 0) > 0;
}

/** Only the bytes themselves are taken: there is no decoding of a coded body. */
export function refuseContentEncoding(request: IncomingMessage): void {
  const coding = request.headers['content-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity')
    throw new ArtifactstoreError('unsupported_media_type', 'The body must be sent without a content encoding.', {
      field: 'content-encoding',
    });
}

/** JSON is UTF-8 (RFC 8259): one that says that it is something else is not read as that. */
function refuseCharset(contentType: string | undefined): void {
  const end = contentType?.indexOf(';') ?? -1;
  if (end < 0) return;
  const charset = parseParameters(contentType!.slice(end))?.get('charset');
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset.toLowerCase()))
    throw new ArtifactstoreError('unsupported_media_type', 'JSON is accepted in UTF-8 only.', { field: 'content-type' });
}

/** What JSON takes while it is read and used, in bytes of memory for each of its own. */
export const memoryOfJson = 8;

/**
 * Reads a JSON body, strictly and whole; long ones one at a time, in turns of their senders. `memory` holds what it
 * takes until the request is over.
 */
export async function readJson(
  request: FastifyRequest,
  maximumBytes: number,
  limits: Limits,
  memory: MemoryAccount,
  turns: FairTurns,
): Promise<JsonValue> {
  refuseContentEncoding(request.raw);
  refuseCharset(request.raw.headers['content-type']);
  const tooLarge = (): ArtifactstoreError =>
    new ArtifactstoreError('body_too_large', `A JSON body may have up to ${maximumBytes} bytes here.`, {
      info: {
        maximum_bytes: maximumBytes,
        bound: maximumBytes === limits.largeJsonBytes ? 'large_json_bytes' : 'json_bytes',
        limit: maximumBytes,
      },
    });
  if ((statedLength(request.raw) ?? 0) > maximumBytes) throw tooLarge();
  await memory.take(memoryOfJson * (statedLength(request.raw) ?? maximumBytes));
  const deadline = performance.now() + limits.jsonTimeout;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readChecked(request, {
    uploadBytesPerSecond: 0,
    idleTimeout: Math.min(limits.idleTimeout, limits.jsonTimeout),
  })) {
    length += chunk.length;
    if (length > maximumBytes) throw tooLarge();
    if (performance.now() > deadline)
      throw tooSlow('json_timeout', limits.jsonTimeout / 1000, `The body did not arrive within ${limits.jsonTimeout / 1000} seconds.`);
    chunks.push(chunk);
  }
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  const most = { maximumValues: limits.jsonValues };
  if (length < longJsonBytes) return parseJson(bytes, most);
  return await turns.take(request.principal.share, 1, async () => {
    // What else has arrived is served between two of them.
    await setImmediate();
    if (request.raw.socket.destroyed) throw new ArtifactstoreError('cancelled', 'The client left before its turn.');
    return await parseLongJson(bytes, most);
  });
}

/** As `parseJson`; others are served after every few milliseconds of it. */
export async function parseLongJson(bytes: Uint8Array, limits: JsonLimits): Promise<JsonValue> {
  if (bytes.length > largeJsonBytes) await afterCollection();
  const reading = beginJson(bytes, limits);
  while (!reading.read(charactersAtOnce)) await setImmediate();
  return reading.value();
}

function tooSlow(bound: 'idle_timeout' | 'json_timeout' | 'upload_bytes_per_second', limit: number, message: string): ArtifactstoreError {
  return new ArtifactstoreError('request_timeout', message, { info: { bound, limit } });
}

/** What can take some milliseconds to be read: half as many values. */
const longJsonBytes = 16_384;
const charactersAtOnce = 16_384;
/** The values of a longer text can take tens of megabytes. */
const largeJsonBytes = 524_288;

/** The media type of a request's body without its parameters, in lowercase. */
export function essence(contentType: string | undefined): string | undefined {
  return contentType === undefined ? undefined : contentType.split(';', 1)[0]!.trim().toLowerCase();
}
