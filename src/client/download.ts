import { type ContentAddress, splitAddress } from '../kernel/address.ts';
import { createHasher, type Hasher, toHex } from '../kernel/digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { File, OpenFile, OpenOptions } from '../registry/REGISTRY.ts';
import type { Transport, WireAnswer } from './transport.ts';

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
 * The whole of the bytes, checked against length and digest while they are read; the last piece is given out only when they are
 * right. Throws `integrity_failure`.
 */
export async function download(
  transport: Transport,
  path: string,
  file: Expected,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  if (file.size_bytes === 0) {
    await request(transport, path, file, undefined, signal).then((answer) => answer.bytes());
    return checked(none(), file);
  }
  const whole = { first: 0, last: file.size_bytes - 1 };
  const first = await request(transport, path, file, undefined, signal);
  return checked(resumed(transport, path, file, whole, first, signal), file);
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function request(
  transport: Transport,
  path: string,
  file: Expected,
  range: Range | undefined,
  signal: AbortSignal | undefined,
): Promise<WireAnswer> {
  const headers = range === undefined ? {} : { range: `bytes=${range.first}-${range.last}`, 'if-match': `"${file.content_address}"` };
  return transport.exchange({ method: 'GET', path, headers, repeatable: true, signal }, async (answer) => answer);
}

/** Goes on from where a connection broke off, as long as each connection brings something. */
async function* resumed(
  transport: Transport,
  path: string,
  file: Expected,
  range: Range,
  opened: WireAnswer,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  let answer = opened;
  let position = range.first;
  for (;;) {
    const before = position;
    try {
      for await (const chunk of answer.body) {
        position += chunk.length;
        yield chunk;
      }
      break;
    } catch (error) {
      if (signal?.aborted === true) throw new ArtifactstoreError('cancelled', 'The download was stopped.', { cause: error });
      if (isArtifactstoreError(error)) throw error;
      if (position === before && before > range.first)
        throw new ArtifactstoreError('server_unreachable', `The download broke off after ${position - range.first} bytes.`, {
          cause: error,
        });
      if (position > range.last) break;
      answer = await request(transport, path, file, { first: position, last: range.last }, signal);
    }
  }
  if (position !== range.last + 1)
    throw new ArtifactstoreError(
      'integrity_failure',
      `The server sent ${position - range.first} bytes where ${range.last + 1 - range.first} were asked for.`,
    );
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

async function* none(): AsyncIterable<Uint8Array> {}

function checkRange({ first, last }: NonNullable<OpenOptions['range']>, size: number): Range {
  const start = first < 0 ? Math.max(0, size + first) : first;
  const end = Math.min(last ?? size - 1, size - 1);
  if (!Number.isSafeInteger(start) || start > end)
    throw new ArtifactstoreError('range_not_satisfiable', `The file is ${size} bytes long; the range lies outside it.`, {
      field: 'Range',
      info: { size_bytes: size },
    });
  return { first: start, last: end };
}
