import type { Context } from '../context.ts';
import type { UploadRow } from '../operations/uploads/rows.ts';
import { type Release, superseded, type TakenUpload, type TakeUpload } from '../operations/uploads/uploads.ts';
import type { Writer } from './writers.ts';

export const defaultUploadSeconds = 86_400;

/** An upload that nobody else changes, until it is given back or somebody takes it. */
export interface OwnUpload extends TakenUpload {
  /** Ended when somebody takes it in this process. */
  readonly signal: AbortSignal;
  /** Passes its bytes on. While none comes for long, the writer does not say that it is at work. */
  watch(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Says what is durable, that it is at work, or that it ends. Errors: `upload_superseded`, `upload_not_found`. */
  record(progress: {
    readonly segments?: UploadRow['detail']['segments'];
    readonly release?: Release;
  }): Promise<{ readonly row: UploadRow; readonly room_bytes: number }>;
}

const beatMilliseconds = 2_000;

/** Does the work as the one writer of the upload, and says meanwhile that it is at work. */
export async function withUpload<T>(
  context: Context,
  { finishing, ...take }: Omit<TakeUpload, 'holder'> & { readonly finishing: boolean },
  work: (upload: OwnUpload) => Promise<T>,
): Promise<T> {
  const writer = await context.uploadWriters.enter(take.id, take.policy, finishing);
  try {
    return await asWriter(context, writer, take, work);
  } finally {
    writer.leave();
  }
}

/** The same for who has entered already. */
export async function asWriter<T>(
  { database, uploadWriters, uploadSeconds = defaultUploadSeconds }: Context,
  writer: Writer,
  take: Omit<TakeUpload, 'holder'>,
  work: (upload: OwnUpload) => Promise<T>,
): Promise<T> {
  const { id } = take;
  let beat: ReturnType<typeof setInterval> | undefined;
  try {
    const taken = await database.write('upload.take', { ...take, holder: uploadWriters.holder });
    const { epoch } = taken.row.detail;
    const record: OwnUpload['record'] = async ({ segments = null, release }) => {
      const recorded = await database.write('upload.progress', {
        ...{ id, epoch, segments, lifetime_seconds: uploadSeconds },
        ...(release === undefined ? {} : { release }),
      });
      if (recorded === null) throw superseded(id);
      return recorded;
    };
    beat = setInterval(() => {
      if (!writer.isQuiet()) void record({}).catch(() => undefined);
    }, beatMilliseconds);
    beat.unref();
    return await work({ ...taken, signal: writer.signal, watch: writer.watch, record });
  } finally {
    clearInterval(beat);
  }
}
