import { type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import { parseId } from '../kernel/id.ts';
import { giveBack } from '../runtime/give-back.ts';
import type { Expected } from './download.ts';
import { mediaType, type WireAnswer } from './wire/answer.ts';
import { jsonRequest } from './wire/request.ts';
import { offsetsInTar } from './wire/tar-entries.ts';
import type { Transport } from './wire/transport.ts';

/** Bytes of files, as they came. */
export interface DownloadedFiles {
  readonly memory: ArrayBuffer;
  /** Where those of each file begin; they are as many as was expected. */
  readonly offsets: readonly number[];
}

export type NamedFile = Pick<Expected, 'size_bytes'> & { readonly relative_path: string };

/**
 * Brings files of a sealed package in one answer. Undefined where that can't be: the server does not know how,
 * something between changes what it says, the connection broke, or a file is damaged. Asked for one by one they come,
 * or it shows what is wrong.
 */
export type DownloadMany = (packageId: string, files: readonly NamedFile[], signal?: AbortSignal) => Promise<DownloadedFiles | undefined>;

export function manyDownloads(transport: Transport): DownloadMany {
  let unknown = false;
  return async (packageId, files, signal) => {
    if (unknown) return undefined;
    const path = `/packages/${parseId(packageId, 'package_id')}/archive`;
    const relative_paths = files.map(({ relative_path }) => relative_path);
    const request = jsonRequest('POST', path, { relative_paths }, { repeatable: true, ...(signal === undefined ? {} : { signal }) });
    let opened: Opened;
    try {
      opened = await transport.exchange(request, (answer) => openArchive(answer, files));
    } catch (error) {
      if (!isArtifactstoreError(error) || !oneByOne.has(error.code)) throw error;
      unknown = error.code !== 'integrity_failure';
      return undefined;
    }
    const archive = await readArchive(opened, signal);
    const offsets = archive === undefined ? undefined : offsetsInTar(archive, files);
    return archive === undefined || offsets === undefined ? undefined : { memory: archive.buffer, offsets };
  };
}

/** Whoever answers so does not know the request, or knows that one of its files is damaged. */
const oneByOne: ReadonlySet<ErrorCode> = new Set(['route_not_found', 'method_not_allowed', 'unexpected_answer', 'integrity_failure']);

interface Opened {
  readonly body: AsyncIterable<Uint8Array>;
  readonly length: number;
}

async function openArchive(answer: WireAnswer, files: readonly NamedFile[]): Promise<Opened> {
  const { status, headers, body } = answer;
  const length = Number(headers['content-length']);
  const longest = files.reduce((sum, { size_bytes }) => sum + size_bytes + longestHead, longestHead);
  if (
    status === 200 &&
    mediaType(headers['content-type']) === 'application/x-tar' &&
    headers['content-encoding'] === undefined &&
    length <= longest
  )
    return { body, length };
  throw await answer.unexpected('artifactstore would have answered with a tar archive of just the files that were asked for');
}

/** Of an entry, with a path of 1,024 bytes and the padding of its bytes. */
const longestHead = 4096;

/** Undefined where it breaks off. */
async function readArchive({ body, length }: Opened, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const archive = new Uint8Array(length);
  let at = 0;
  try {
    for await (const chunk of body) {
      archive.set(chunk, at);
      at += chunk.length;
      giveBack(chunk);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (isArtifactstoreError(error)) throw error;
    return undefined;
  }
  return archive;
}
