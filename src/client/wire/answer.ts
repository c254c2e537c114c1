import type { Dispatcher } from 'undici';
import type { ArtifactstoreError } from '../../kernel/error.ts';
import { decodeCbor } from '../../kernel/format/cbor.ts';
import { paced, wholeOf } from './bounded-body.ts';
import { type Answered, unexpectedAnswer } from './foreign-answer.ts';
import type { Shape } from './shape.ts';

/**
 * A success, which is believed only as far as it is the server's: a proxy, another service and the log-in page of a
 * network answer 200 too. Whatever is not as the server answers is `unexpected_answer`.
 */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Read it to the end or end the iteration early; either frees the connection. See `paced`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** A JSON answer of that shape. */
  json<T>(shape: Shape<T>): Promise<T>;
  /** A CBOR answer: its bytes, which nobody has looked at yet; `most` of them where less is to be expected. */
  cborBytes(most?: number): Promise<Uint8Array>;
  /** A CBOR answer of that shape, and its bytes. */
  cbor<T>(shape: Shape<T>): Promise<{ readonly value: T; readonly bytes: Uint8Array }>;
  /**
   * The error that this is not the server's answer; `why` says by what one sees it. Reads how the body begins, and ends
   * it.
   */
  unexpected(why: string): Promise<ArtifactstoreError>;
}

/** `slowSeconds` is how long nearly nothing is waited for; see `paced`. */
export function wireAnswer({ statusCode: status, headers, body }: Dispatcher.ResponseData, url: string, slowSeconds?: number): WireAnswer {
  const type = mediaType(headers['content-type']);
  const unexpected = async (why: string): Promise<ArtifactstoreError> =>
    unexpectedAnswer({ url, status, headers, text: await beginning(body) }, why);
  const read = async (wanted: string, most: number): Promise<Uint8Array> => {
    if (type !== wanted || headers['content-encoding'] !== undefined)
      throw await unexpected(`artifactstore would have answered with ${wanted}`);
    const bytes = await wholeOf(body, most, slowSeconds);
    if (bytes !== undefined) return bytes;
    throw unexpectedAnswer({ url, status, headers, text: '' }, `it is longer than ${most} bytes, and the rest was not read`);
  };
  const shaped = <T>(shape: Shape<T>, bytes: Uint8Array, parse: (bytes: Uint8Array) => unknown): T => {
    const answered: Answered = { url, status, headers, text: '' };
    let value: unknown;
    try {
      value = parse(bytes);
    } catch {
      throw unexpectedAnswer(answered, `what it sent is not ${type}, or it is cut off`);
    }
    if (!shape.fits(value)) throw unexpectedAnswer(answered, `what it sent is not ${shape.name}`);
    return value;
  };
  return {
    status,
    headers,
    body: paced(body, slowSeconds),
    unexpected,
    json: async (shape) =>
      shaped(shape, await read('application/json', mostJsonBytes), (bytes) => JSON.parse(new TextDecoder().decode(bytes))),
    cborBytes: (most = mostCborBytes) => read('application/cbor', most),
    async cbor(shape) {
      const bytes = await read('application/cbor', mostCborBytes);
      return { value: shaped(shape, bytes, decodeCbor), bytes };
    },
  };
}

/** Lower case, without parameters; empty where there is none. */
export function mediaType(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header.split(';')[0]!.trim().toLowerCase() : '';
}

/**
 * The first of a page's text, which is all that it is needed for: one without an end is not read to its end, one that
 * stops coming is not waited for, and what came before it broke off is enough.
 */
export async function beginning(body: Dispatcher.ResponseData['body']): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const stalled = setTimeout(() => body.destroy(), pageMilliseconds);
  try {
    for await (const part of body as AsyncIterable<Uint8Array>) {
      parts.push(part);
      length += part.length;
      if (length >= pageBytes) break;
    }
  } catch {
    // It broke off.
  } finally {
    clearTimeout(stalled);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** A page is 2 MiB, or one item of it; what attaching answers is up to 16 MiB. A 0.1 counts items alone. */
const mostJsonBytes = 67_108_864;
/** A manifest is up to 128 MiB, and so is the event that has it. */
const mostCborBytes = 201_326_592;
const pageBytes = 65_536;
const pageMilliseconds = 2000;
