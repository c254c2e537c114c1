import { setTimeout as sleep } from 'node:timers/promises';
import { blake3 } from '../kernel/content/digest.ts';
import { parseRelativePath } from '../kernel/content/path.ts';
import { type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import { idPattern, parseId } from '../kernel/id.ts';
import { blockDigestsField, formatBlockDigestsField } from '../protocol/block-digests-field.ts';
import { formatBooleanField, partialUploadType } from '../protocol/resumable-upload.ts';
import type { Created, File, Upload } from '../registry/REGISTRY.ts';
import { created, getJson, jsonRequest, lookUp } from './wire/request.ts';
import { fileShape, uploadShape } from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

/** A file of which any end can be sent. */
export interface ResumableFile {
  readonly relative_path: string;
  readonly size_bytes: number;
  /** What its bytes must be: no file is made of others. */
  readonly content_address: string;
  readonly media_type: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** BLAKE3 of each MiB, 32 bytes each: with them a MiB that a line changed is told, and sent again, at once. */
  readonly block_digests?: Uint8Array;
  /** Its bytes from there on. */
  from(offset: number): AsyncIterable<Uint8Array>;
}

/** Where ids of uploads are kept, by what they are of. What prevents its use is no error. */
export interface KnownUploads {
  find(key: string): string | undefined;
  remember(key: string, id: string): void;
  forget(key: string): void;
}

export interface ResumableOptions {
  readonly known?: KnownUploads | undefined;
  readonly signal: AbortSignal;
  /** Told how many bytes of the file the server has: those that were there already first. */
  onOffset(bytes: number): void;
}

/**
 * Adds a file by an upload that is continued after every break, also by another process that knows the upload's id. An
 * upload has no package before its end, so that the bytes of a push whose package was abandoned are not sent again.
 */
export type AddResumable = (packageId: string, file: ResumableFile, options: ResumableOptions) => Promise<Created<File>>;

export type SentBytes = Pick<ResumableFile, 'size_bytes' | 'from' | 'block_digests'>;

/** Sends the rest of an upload, to its end; again from where it then is, when that breaks off. */
export type SendUpload = (
  upload: Pick<Upload, 'id' | 'offset_bytes'>,
  file: SentBytes,
  options: Pick<ResumableOptions, 'signal' | 'onOffset'>,
) => Promise<void>;

export interface ResumableUploads {
  readonly add: AddResumable;
  readonly send: SendUpload;
}

export function resumableUploads(transport: Transport, url: string): ResumableUploads {
  const at = (id: string): string => `/uploads/${id}`;

  async function found(id: string, size: number): Promise<Upload | undefined> {
    const upload = await lookUp(getJson(transport, at(id), uploadShape), 'upload_not_found');
    return upload?.size_bytes === size ? upload : undefined;
  }

  async function begin({ size_bytes, media_type }: ResumableFile): Promise<Upload> {
    const request = jsonRequest('POST', '/uploads', { expected_size_bytes: size_bytes, media_type }, { repeatable: true });
    return await transport.exchange(request, (answer) => answer.json(uploadShape));
  }

  const send: SendUpload = async (upload, file, { signal, onOffset }) => {
    let { offset_bytes: offset } = upload;
    let wrongAt: number | undefined;
    for (let failures = 0; offset < file.size_bytes; ) {
      onOffset(offset);
      try {
        offset = await patch(upload.id, file, offset, signal, onOffset);
        failures = 0;
      } catch (error) {
        if (signal.aborted || !isArtifactstoreError(error) || !resumed.has(error.code)) throw error;
        if (failures > 0) await sleep(Math.min(5_000, 100 * 2 ** failures), undefined, { signal });
        // Waits for a server that starts again.
        const now = await found(upload.id, file.size_bytes);
        if (now === undefined) throw error;
        if (error.code === 'block_digest_mismatch') {
          // Once it may have been the line.
          if (wrongAt === now.offset_bytes) throw error;
          wrongAt = now.offset_bytes;
        }
        failures = now.offset_bytes > offset ? 0 : failures + 1;
        if (failures > maximumFailures) throw error;
        offset = now.offset_bytes;
      }
    }
    onOffset(offset);
  };

  /** Sends what goes into one request; where that ends. */
  async function patch(
    id: string,
    file: SentBytes,
    offset: number,
    signal: AbortSignal,
    onOffset: (bytes: number) => void,
  ): Promise<number> {
    const blocks = await blocksFrom(file, offset);
    const end = blocks === undefined ? file.size_bytes : Math.min(file.size_bytes, blocks.end);
    async function* counted(): AsyncIterable<Uint8Array> {
      let sent = offset;
      for await (const chunk of file.from(offset)) {
        const piece = chunk.subarray(0, end - sent);
        yield piece;
        sent += piece.length;
        onOffset(sent);
        // What a file has beyond its size is asked for, and refused.
        if (sent === end && end < file.size_bytes) return;
      }
    }
    await transport.exchange(
      {
        method: 'PATCH',
        path: at(id),
        headers: {
          ...{ 'content-type': partialUploadType, 'upload-offset': String(offset) },
          'upload-complete': formatBooleanField(end === file.size_bytes),
          ...(blocks === undefined ? {} : { [blockDigestsField]: formatBlockDigestsField(blocks.digests) }),
        },
        body: { open: counted, reopenable: true, sizeBytes: end - offset },
        repeatable: false,
        signal,
      },
      async (answer) => {
        if (answer.status !== 204) throw await answer.unexpected('artifactstore would have answered with 204');
      },
    );
    return end;
  }

  async function complete(id: string, packageId: string, file: ResumableFile): Promise<Created<File>> {
    const { relative_path, media_type, content_address, annotations } = file;
    const named = { package_id: parseId(packageId, 'package_id'), relative_path: parseRelativePath(relative_path, 'relative_path') };
    const body = { ...named, media_type, content_address, ...(annotations === undefined ? {} : { annotations }) };
    return await transport.exchange(jsonRequest('POST', `${at(id)}/complete`, body, { repeatable: true }), created(fileShape));
  }

  const add: AddResumable = async (packageId, file, options) => {
    const { known, signal } = options;
    const key = `${url}\n${file.content_address}`;
    const earlier = known?.find(key);
    let upload = earlier === undefined || !isId.test(earlier) ? undefined : await found(earlier, file.size_bytes);
    for (let tries = 0; ; tries += 1) {
      const wasThere = upload !== undefined;
      upload ??= await begin(file);
      if (tries === 0) known?.remember(key, upload.id);
      try {
        if (upload.state === 'open') await send(upload, file, options);
        const added = await complete(upload.id, packageId, file);
        known?.forget(key);
        return added;
      } catch (error) {
        if (signal.aborted || !isArtifactstoreError(error) || !begunAgain.has(error.code)) throw error;
        known?.forget(key);
        const isWrong = error.code === 'digest_mismatch';
        if (isWrong) await abandon(upload.id);
        // What an earlier push sent may be of a file that changed; what this one sent all by itself is not.
        if (tries === 2 || (isWrong && !wasThere)) throw error;
        upload = undefined;
      }
    }
  };
  return { add, send };

  async function abandon(id: string): Promise<void> {
    await transport.exchange({ method: 'DELETE', path: at(id), repeatable: true }, async () => undefined).catch(() => undefined);
  }
}

/** Digests of as many blocks from there on as one request says, and where they end; undefined where none are known. */
async function blocksFrom(file: SentBytes, offset: number): Promise<{ readonly digests: Uint8Array; readonly end: number } | undefined> {
  const { block_digests } = file;
  if (block_digests === undefined) return undefined;
  const begun = offset % blockBytes === 0 ? [] : [await digestOfRest(file, offset)];
  const first = Math.ceil(offset / blockBytes);
  const last = first + blocksOfRequest - begun.length;
  return { digests: Buffer.concat([...begun, block_digests.subarray(first * 32, last * 32)]), end: last * blockBytes };
}

/** BLAKE3 of what the block in which it lies has from there on: it is read once more, which is less than a MiB. */
async function digestOfRest(file: SentBytes, offset: number): Promise<Uint8Array> {
  const rest = Buffer.alloc(Math.min(file.size_bytes - offset, blockBytes - (offset % blockBytes)));
  let filled = 0;
  for await (const chunk of file.from(offset)) {
    rest.set(chunk.subarray(0, rest.length - filled), filled);
    filled += Math.min(chunk.length, rest.length - filled);
    if (filled === rest.length) break;
  }
  return blake3(rest.subarray(0, filled));
}

const blockBytes = 1_048_576;

/** Proxies take a header of 8 KiB; these are 5.5. */
const blocksOfRequest = 128;

/** After these the upload is where it was, or further. */
const resumed: ReadonlySet<ErrorCode> = new Set([
  'server_unreachable',
  'request_timeout',
  'too_busy',
  'database_unavailable',
  'storage_unavailable',
  'identity_unavailable',
  'upload_offset_mismatch',
  'block_digest_mismatch',
]);

/** It has become another file, somebody else continues it, it is gone, or it has other bytes. */
export const begunAgain: ReadonlySet<ErrorCode> = new Set(['upload_finished', 'upload_superseded', 'upload_not_found', 'digest_mismatch']);

const isId = new RegExp(idPattern);

/** Breaks without a byte between them. */
const maximumFailures = 8;
