import { type ContentAddress, splitAddress } from '../kernel/content/address.ts';
import { createHasher, type Hasher, toHex } from '../kernel/content/digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { File, OpenFile, OpenOptions } from '../registry/REGISTRY.ts';
import type { WireAnswer } from './wire/answer.ts';
import type { Transport } from './wire/transport.ts';

/** What must come, to know whether it did. */
export type Expected = Pick<File, 'size_bytes' | 'content_address'>;

/** Opens a file's bytes, or a range of them. The first answer is awaited, so that what is wrong shows here. */
export async function openDownload(transport: Transport, path: string, file: File, options: OpenOptions): Promise<OpenFile> {
  if (options.range === undefined) return { file, body: await download(transport, path, file, options.signal) };
  const range = checkRange(options.range, file.size_bytes);
  const first = await request(transport, path, file, range, options.signal);
  return { file, range, body: resumed(transport, path, file, range, first, options.signal) };
}

/**
 * The whole of the bytes, checked against length and digest while they are read; the last piece is given out only when
 * they are right. Throws `integrity_failure`.
 */
export async function download(
  transport: Transport,
  path: string,
  file: Expected,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  return checked(await downloadUnchecked(transport, path, file, signal), file);
}

/** As many bytes as there should be from `offset` on, for a reader who checks them. */
export async function downloadUnchecked(
  transport: Transport,
  path: string,
  file: Expected,
  signal?: AbortSignal,
  offset = 0,
): Promise<AsyncIterable<Uint8Array>> {
  const range = { first: offset, last: file.size_bytes - 1 };
  const first = await request(transport, path, file, offset === 0 ? undefined : range, signal);
  return file.size_bytes === 0 ? first.body : resumed(transport, path, file, range, first, signal);
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/** A part of the file, or the whole of it: where it begins, and how long it is. */
interface Opened {
  readonly body: AsyncIterable<Uint8Array>;
  readonly start: number;
  readonly length: number;
}

function request(
  transport: Transport,
  path: string,
  file: Expected,
  range: Range | undefined,
  signal: AbortSignal | undefined,
): Promise<Opened> {
  const headers = range === undefined ? {} : { range: `bytes=${range.first}-${range.last}`, 'if-match': `"${file.content_address}"` };
  return transport.exchange({ method: 'GET', path, headers, repeatable: true, signal }, async (answer) => {
    await checkAnswer(answer, file, range);
    const part = range === undefined || answer.status === 200 ? { first: 0, last: file.size_bytes - 1 } : range;
    const length = part.last + 1 - part.first;
    const announced = answer.headers['content-length'];
    if (announced !== undefined && announced !== String(length))
      throw await answer.unexpected(`it announces ${String(announced)} bytes, and ${length} were asked for`);
    return { body: answer.body, start: part.first, length };
  });
}

/**
 * A stored file may look like anything, a page of HTML too: the server is known by how it names the bytes. A proxy may
 * leave out one of the two names, and may answer a range with the whole.
 */
async function checkAnswer(answer: WireAnswer, file: Expected, range: Range | undefined): Promise<void> {
  const { status, headers } = answer;
  const named = /^(?:W\/)?"([a-z0-9_-]+:[0-9a-f]+)"$/.exec(String(headers.etag))?.[1];
  if (named === undefined && headers['repr-digest'] === undefined)
    throw await answer.unexpected('artifactstore would have named the bytes (ETag, Repr-Digest)');
  if (headers['content-encoding'] !== undefined)
    throw await answer.unexpected(`the bytes came encoded (${String(headers['content-encoding'])}), and nobody asked for it`);
  if (named !== undefined && named !== file.content_address)
    throw new ArtifactstoreError('integrity_failure', `The server has other bytes than ${file.content_address}: it calls them ${named}.`, {
      info: { expected: file.content_address, actual: named },
    });
  if (status === 200) return;
  const wanted = range === undefined ? undefined : `bytes ${range.first}-${range.last}/${file.size_bytes}`;
  if (status !== 206 || wanted === undefined || headers['content-range'] !== wanted)
    throw await answer.unexpected(`${wanted ?? 'the whole'} was asked for, and ${String(headers['content-range'] ?? 'no range')} came`);
}

/** Resumes where a connection broke off, as long as connections bring something. */
async function* resumed(
  transport: Transport,
  path: string,
  file: Expected,
  range: Range,
  first: Opened,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  let opened = first;
  let position = range.first;
  for (let fruitless = 0; ; fruitless += 1) {
    const before = position;
    let cause: unknown;
    try {
      for await (const chunk of inside(opened, position, range.last)) {
        position += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (signal?.aborted === true) throw new ArtifactstoreError('cancelled', 'The download was stopped.', { cause: error });
      if (isArtifactstoreError(error)) throw error;
      cause = error;
    }
    if (position > range.last) return;
    if (position > before) fruitless = 0;
    if (fruitless >= fruitlessConnections)
      throw new ArtifactstoreError(
        'server_unreachable',
        `The download broke off after ${position - range.first} of ${range.last + 1 - range.first} bytes, again and again.`,
        { info: { hint: 'look at the log of the server, and at what is in front of it' }, cause },
      );
    opened = await request(transport, path, file, { first: position, last: range.last }, signal);
  }
}

const fruitlessConnections = 2;

/** What a body has of the bytes from `first` to `last`. */
async function* inside({ body, start, length }: Opened, first: number, last: number): AsyncIterable<Uint8Array> {
  let at = start;
  for await (const chunk of body) {
    const end = at + chunk.length;
    if (end > start + length)
      throw new ArtifactstoreError('unexpected_answer', `More bytes came than the ${length} that were asked for.`, {
        info: { hint: 'look at what is in front of the server' },
      });
    const from = Math.max(at, first);
    const to = Math.min(end, last + 1);
    if (from < to) yield chunk.subarray(from - at, to - at);
    if (end > last && last + 1 < start + length) return;
    at = end;
  }
}

async function* checked(body: AsyncIterable<Uint8Array>, file: Expected): AsyncIterable<Uint8Array> {
  const { algorithm, hex } = splitAddress(file.content_address as ContentAddress);
  const hasher: Hasher | undefined = algorithm === 'blake3' || algorithm === 'sha256' ? createHasher(algorithm) : undefined;
  let held: Uint8Array | undefined;
  let length = 0;
  for await (const chunk of body) {
    if (held !== undefined) yield held;
    hasher?.update(chunk);
    length += chunk.length;
    held = chunk;
  }
  const actual = hasher === undefined ? hex : toHex(hasher.digest());
  if (length !== file.size_bytes || actual !== hex)
    throw new ArtifactstoreError('integrity_failure', `The server sent other bytes than those of ${file.content_address}.`, {
      info: { expected: file.content_address, actual: `${algorithm}:${actual}`, size_bytes: length },
    });
  if (held !== undefined) yield held;
}

function checkRange({ first, last }: NonNullable<OpenOptions['range']>, size: number): Range {
  const start = first < 0 ? Math.max(0, size + first) : first;
  const end = Math.min(last ?? size - 1, size - 1);
  if (!Number.isSafeInteger(start) || start > end)
    throw new ArtifactstoreError('range_not_satisfiable', `The file is ${size} bytes long; the range lies outside it.`, {
      field: 'range',
      info: { size_bytes: size },
    });
  return { first: start, last: end };
}
