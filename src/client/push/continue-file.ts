import type { File } from '../../registry/REGISTRY.ts';
import type { AddResumable, KnownUploads } from '../resumable.ts';
import { describeFile, fileBodyFrom, type HashedFile } from '../tree/read-file.ts';

/** How large files are sent so that they can be continued. */
export interface Resumable {
  /** Files of more bytes than this are. */
  readonly above: number;
  readonly add: AddResumable;
  readonly known?: KnownUploads | undefined;
}

export interface SentFile {
  readonly record: File;
  /** What had to be sent now: the rest was there from an earlier push. */
  readonly sentBytes: number;
}

/** Sends a file from where an earlier push was stopped; `show` is told how much of it the server has. */
export async function continueFile(
  { add, known }: Resumable,
  packageId: string,
  file: HashedFile,
  signal: AbortSignal,
  show: (bytes: number) => void,
): Promise<SentFile> {
  let earlier = file.sizeBytes;
  const onOffset = (bytes: number): void => {
    earlier = Math.min(earlier, bytes);
    show(bytes);
  };
  const { media_type = 'application/octet-stream', ...more } = describeFile(file);
  const { relativePath: relative_path, sizeBytes: size_bytes, contentAddress: content_address } = file;
  const from = (offset: number): AsyncIterable<Uint8Array> => fileBodyFrom(file, offset, signal);
  const blocks = file.blockDigests === undefined ? {} : { block_digests: file.blockDigests };
  const resumable = { relative_path, size_bytes, content_address, media_type, ...more, ...blocks, from };
  const { record } = await add(packageId, resumable, { known, signal, onOffset });
  return { record, sentBytes: size_bytes - earlier };
}
