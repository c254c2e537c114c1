import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { checksumNames, checksumOf, declaredChecksum } from './checksums.ts';
import { unchunk } from './chunked.ts';
import type { Lies } from './lies.ts';
import { refuse } from './refusal.ts';
import { type Signed, sha256 } from './signature.ts';
import type { Checksum } from './state.ts';

/** A body that was read to its end, and is what the request says that it is. */
export interface Received {
  readonly body: Buffer;
  readonly checksum: Checksum | undefined;
  /** Whether a digest of the client's own was checked. */
  readonly checked: boolean;
}

export interface Reading {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: Readonly<Record<string, string>>;
  readonly signed: Signed;
  readonly lies: Lies;
  readonly bytesPerSecond: number | undefined;
}

/** The most that the store takes in one request: bodies are held in memory. */
const maximumBytes = 1024 ** 3;

/** Reads a body and checks its length, digests and checksums; throws a Refusal. */
export async function receiveBody(reading: Reading): Promise<Received> {
  const { request, headers, signed, lies } = reading;
  const decodedLength = headers['x-amz-decoded-content-length'];
  const chunked = request.headers['transfer-encoding'] !== undefined;
  if (chunked && decodedLength === undefined) throw refuse('NotImplemented', { Header: 'Transfer-Encoding' });
  if (!chunked && request.headers['content-length'] === undefined) throw refuse('MissingContentLength');
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes)
    throw refuse('EntityTooLarge', { MaxSizeAllowed: String(maximumBytes) });
  refuseChecksums(reading);
  const raw = await readAll(reading);
  const streaming = signed.payload.startsWith('STREAMING-');
  const { body, trailers } = streaming
    ? unchunk(raw, signed.payload, signed.chunks, lies.badSignatureAccepted !== true)
    : { body: raw, trailers: {} };
  if (streaming && String(body.length) !== decodedLength)
    throw refuse('IncompleteBody', { Message: 'The body is not as long as x-amz-decoded-content-length says' });
  if (/^[0-9a-f]{64}$/.test(signed.payload) && lies.ignoredContentSha256 !== true && sha256(body) !== signed.payload) {
    throw refuse('XAmzContentSHA256Mismatch', { ClientComputedContentSHA256: signed.payload, S3ComputedContentSHA256: sha256(body) });
  }
  const announced = headers['x-amz-trailer']?.toLowerCase();
  if (announced !== undefined && trailers[announced] === undefined) throw refuse('MalformedTrailerError');
  if (announced === undefined && Object.keys(trailers).some((name) => name !== 'x-amz-trailer-signature'))
    throw refuse('MalformedTrailerError');
  checkMd5(body, headers['content-md5'], lies);
  const checksum = await checkChecksum(body, { ...headers, ...trailers }, lies);
  return { body, checksum, checked: checksum !== undefined || headers['content-md5'] !== undefined };
}

async function readAll({ request, response, lies, bytesPerSecond }: Reading): Promise<Buffer> {
  if (request.headers.expect !== undefined) {
    if (lies.expectContinueHangs === true) await new Promise<never>(() => {});
    response.writeContinue();
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maximumBytes) throw refuse('EntityTooLarge', { MaxSizeAllowed: String(maximumBytes) });
      if (bytesPerSecond !== undefined) await delay((chunk.length / bytesPerSecond) * 1000);
    }
  } catch (error) {
    if (lies.acceptsShortBody !== true || request.complete) throw request.complete ? error : refuse('IncompleteBody');
  }
  return Buffer.concat(chunks);
}

function checkMd5(body: Buffer, given: string | undefined, lies: Lies): void {
  if (given === undefined) return;
  if (Buffer.from(given, 'base64').length !== 16) throw refuse('InvalidDigest');
  const calculated = createHash('md5').update(body).digest('base64');
  if (calculated !== given && lies.ignoredContentMd5 !== true)
    throw refuse('BadDigest', { ExpectedDigest: given, CalculatedDigest: calculated });
}

async function checkChecksum(body: Buffer, headers: Readonly<Record<string, string>>, lies: Lies): Promise<Checksum | undefined> {
  const declared = declaredChecksum(headers);
  const announced = headers['x-amz-sdk-checksum-algorithm'];
  if (declared === undefined) {
    if (announced === undefined) return undefined;
    throw refuse('InvalidRequest', {
      Message: 'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    });
  }
  if (announced !== undefined && announced.toLowerCase() !== declared.algorithm) {
    throw refuse('InvalidRequest', { Message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.' });
  }
  if (lies.ignoredChecksums !== true && (await checksumOf(declared.algorithm, body)) !== declared.value) {
    throw refuse('BadDigest', { Message: `The ${declared.algorithm.toUpperCase()} you specified did not match the calculated checksum.` });
  }
  return { ...declared, type: 'FULL_OBJECT' };
}

function refuseChecksums({ headers, lies }: Reading): void {
  if (lies.notImplementedOnChecksums !== true) return;
  const asked = checksumNames.some((name) => headers[`x-amz-checksum-${name}`] !== undefined);
  if (asked || headers['x-amz-trailer'] !== undefined) throw refuse('NotImplemented', { Header: 'x-amz-checksum' });
}
