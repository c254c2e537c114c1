import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import { stoppable } from '../../runtime/stop.ts';
import type { FillablePackage } from '../commit-files.ts';
import { shortBytes } from '../ingest.ts';
import type { BeginUpload } from '../operations/uploads/open-uploads.ts';
import { hasExpired, type UploadRow } from '../operations/uploads/rows.ts';
import { superseded } from '../operations/uploads/uploads.ts';
import type { AppendOptions } from '../REGISTRY.ts';
import type { AppendParts, UploadBody } from './append.ts';
import { type CheckedUpload, checkUpload } from './check-upload.ts';
import { digestsOf, named } from './finish.ts';
import { defaultUploadSeconds } from './take.ts';
import type { Writer } from './writers.ts';

/** The upload when it has become its file; or what is to be appended as any other body is. */
export type Whole = { readonly row: UploadRow } | ({ readonly row?: undefined } & Remaining);

interface Remaining {
  readonly writer: Writer;
  readonly upload: UploadBody;
  readonly options: AppendOptions;
}

/**
 * A short body that has all bytes of its upload goes no way over segments: it is read into memory, and one transaction
 * makes its file and ends the upload. Until then nothing says that somebody writes; so that transaction asks whether
 * anybody has taken the upload, or ended it, since its row was read. Where a body is of another kind, breaks off, or
 * cannot become the file now, what came of it is appended as usual.
 */
export async function takeWhole(parts: AppendParts, writer: Writer, upload: UploadBody, options: AppendOptions): Promise<Whole> {
  const { context } = parts;
  const { body_bytes = 0 } = options;
  if (!mayBeWhole(upload, options) || !context.uploadWriters.takeMemory(body_bytes)) return { writer, upload, options };
  try {
    const row = await context.database.read('upload.get', { id: upload.id });
    if (row === undefined || !takesWhole(row, upload, options, formatTimestamp(context.now()))) return { writer, upload, options };
    const { epoch, package_id } = row.detail;
    await parts.access.requirePackage(package_id!, 'write');
    const { signal, ...others } = options;
    const stop = signal === undefined ? writer.signal : AbortSignal.any([writer.signal, signal]);
    const came = await readWhole(writer.watch(upload.body), body_bytes, stop);
    // What is in memory is not waited for: it is written whoever wants to be the next writer.
    const remaining: Whole = {
      writer: { ...writer, signal: new AbortController().signal },
      upload: { ...upload, epoch, body: replay(came, writer.signal.aborted ? superseded(upload.id) : came.failure?.error) },
      options: others,
    };
    if (came.bytes.length < body_bytes || came.more !== undefined || came.failure !== undefined) return remaining;
    const { package_id: id, ...file } = named(row, checkUpload({}));
    const producer = await parts.access.producerOf(id);
    if (producer === undefined) return remaining;
    // What else would be refused of it, the transaction refuses.
    const target = { id, producer, backendId: row.backend_id, sealed: false };
    const whole = { id: row.id, epoch, size_bytes: body_bytes, lifetime_seconds: context.uploadSeconds ?? defaultUploadSeconds };
    try {
      return {
        row: await parts.ingest.addWhole(target, { ...file, expected: { ...file.expected, sizeBytes: body_bytes } }, came.bytes, whole),
      };
    } catch (error) {
      if (!isArtifactstoreError(error) || ended.has(error.code)) throw error;
      return remaining;
    }
  } finally {
    context.uploadWriters.giveMemory(body_bytes);
  }
}

/** Whether `beginWhole` is a way for it. */
export function beginsWhole({ package_id, relative_path, size_bytes }: CheckedUpload, options: AppendOptions): boolean {
  if (package_id === null || relative_path === null || size_bytes === null) return false;
  return size_bytes === options.body_bytes && mayBeWhole({ offset: 0 }, options);
}

/**
 * Begins an upload with all of its bytes, in the transaction that makes its file: refused or broken off, it was never
 * there. Undefined where there is no memory for it; then nothing was read.
 */
export async function beginWhole(
  { context, ingest }: AppendParts,
  target: FillablePackage,
  begins: BeginUpload,
  body: AsyncIterable<Uint8Array>,
  { body_bytes = 0, signal }: AppendOptions,
): Promise<UploadRow | undefined> {
  const { media_type, detail } = begins;
  if (!context.uploadWriters.takeMemory(body_bytes)) return undefined;
  try {
    const { bytes, more, failure } = await readWhole(body, body_bytes, signal);
    if (failure !== undefined) throw failure.error;
    if (more !== undefined || bytes.length < body_bytes)
      throw new ArtifactstoreError('upload_length_mismatch', `The upload was to have ${body_bytes} bytes, and its body has not.`, {
        info: { size_bytes: body_bytes },
      });
    const { relative_path, annotations } = detail;
    const entry = { relative_path: relative_path!, annotations, media_type: media_type ?? 'application/octet-stream' };
    const expected = { sizeBytes: body_bytes, digests: digestsOf(detail.digests) };
    return await ingest.addWhole(target, { entry, expected, signal: undefined }, bytes, { begins });
  } finally {
    context.uploadWriters.giveMemory(body_bytes);
  }
}

/** What appending its bytes would not change. */
const ended: ReadonlySet<string> = new Set(['upload_superseded', 'upload_not_found', 'database_unavailable']);

function mayBeWhole({ offset }: Pick<UploadBody, 'offset'>, options: AppendOptions): boolean {
  const { body_bytes = 0, size_bytes, digests, block_digests, finishes = true } = options;
  if (offset !== 0 || !finishes || digests !== undefined || block_digests !== undefined) return false;
  return body_bytes > 0 && body_bytes <= shortBytes && (size_bytes === undefined || size_bytes === body_bytes);
}

function takesWhole(
  row: UploadRow,
  { owner }: UploadBody,
  { body_bytes }: AppendOptions,
  now: ReturnType<typeof formatTimestamp>,
): boolean {
  const { detail } = row;
  if (row.state !== 'open' || hasExpired(row, now) || (owner !== null && row.created_by !== owner)) return false;
  if (detail.package_id === null || detail.relative_path === null || detail.writer !== null) return false;
  return row.offset_bytes === 0 && detail.segments.length === 0 && row.expected_size_bytes === body_bytes;
}

/** What came of a body, in memory of its own. */
interface Came {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A chunk that leads beyond its length. */
  readonly more?: Uint8Array;
  /** Why it broke off. */
  readonly failure?: { readonly error: unknown };
}

async function readWhole(body: AsyncIterable<Uint8Array>, length: number, signal: AbortSignal | undefined): Promise<Came> {
  const bytes = new Uint8Array(length);
  let size = 0;
  try {
    for await (const chunk of stoppable(body, signal)) {
      if (size + chunk.length > length) return { bytes: bytes.subarray(0, size), more: chunk.slice() };
      bytes.set(chunk, size);
      size += chunk.length;
    }
  } catch (error) {
    return { bytes: bytes.subarray(0, size), failure: { error } };
  }
  return { bytes: bytes.subarray(0, size) };
}

async function* replay({ bytes, more, failure }: Came, error: unknown): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
  if (more !== undefined) yield more;
  if (failure !== undefined) throw error;
}
