import { isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import { stoppable } from '../../runtime/stop.ts';
import { shortBytes } from '../ingest.ts';
import { hasExpired, type UploadRow } from '../operations/upload-rows.ts';
import { superseded } from '../operations/uploads.ts';
import type { AppendOptions } from '../REGISTRY.ts';
import { type AppendParts, admit, type UploadBody } from './append.ts';
import { checkUpload } from './check-upload.ts';
import { named } from './finish.ts';
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
    const { target } = await admit(parts, row, upload.body);
    const { epoch } = row.detail;
    const { signal, ...others } = options;
    const came = await readWhole(upload, body_bytes, writer, signal);
    // What is in memory is not waited for: it is written whoever wants to be the next writer.
    const remaining: Whole = {
      writer: { ...writer, signal: new AbortController().signal },
      upload: { ...upload, epoch, body: replay(came) },
      options: others,
    };
    if (came.bytes.length < body_bytes || came.more !== undefined || came.failure !== undefined) return remaining;
    const { package_id: _, ...file } = named(row, checkUpload({}));
    const whole = { id: row.id, epoch, size_bytes: body_bytes, lifetime_seconds: context.uploadSeconds ?? defaultUploadSeconds };
    try {
      return {
        row: await parts.ingest.addWhole(target!, { ...file, expected: { ...file.expected, sizeBytes: body_bytes } }, came.bytes, whole),
      };
    } catch (error) {
      if (!isArtifactstoreError(error) || ended.has(error.code)) throw error;
      return remaining;
    }
  } finally {
    context.uploadWriters.giveMemory(body_bytes);
  }
}

/** What appending its bytes would not change. */
const ended: ReadonlySet<string> = new Set(['upload_superseded', 'upload_not_found', 'database_unavailable']);

function mayBeWhole({ offset }: UploadBody, options: AppendOptions): boolean {
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

async function readWhole({ id, body }: UploadBody, length: number, writer: Writer, signal: AbortSignal | undefined): Promise<Came> {
  const bytes = new Uint8Array(length);
  let size = 0;
  const stop = signal === undefined ? writer.signal : AbortSignal.any([writer.signal, signal]);
  try {
    for await (const chunk of stoppable(writer.watch(body), stop)) {
      if (size + chunk.length > length) return { bytes: bytes.subarray(0, size), more: chunk.slice() };
      bytes.set(chunk, size);
      size += chunk.length;
    }
  } catch (error) {
    return { bytes: bytes.subarray(0, size), failure: { error: writer.signal.aborted ? superseded(id) : error } };
  }
  return { bytes: bytes.subarray(0, size) };
}

async function* replay({ bytes, more, failure }: Came): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
  if (more !== undefined) yield more;
  if (failure !== undefined) throw failure.error;
}
