import type { Expected } from '../dataplane/DATAPLANE.ts';
import { parseRelativePath } from '../kernel/content/path.ts';
import { checkAnnotations, checkMediaType } from './input.ts';
import type { NewFile } from './REGISTRY.ts';

/** What a package says of a file beside its bytes. */
export interface FileEntry {
  readonly relative_path: string;
  readonly media_type: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A file to be added, as far as it can be known before its bytes. */
export interface CheckedFile {
  readonly entry: FileEntry;
  readonly expected: Expected;
  readonly signal: AbortSignal | undefined;
}

/** Throws what `parseRelativePath` and the checks of `input.ts` throw. */
export function checkFile(file: NewFile): CheckedFile {
  return {
    entry: {
      relative_path: parseRelativePath(file.relative_path, 'relative_path'),
      media_type: checkMediaType(file.media_type),
      annotations: checkAnnotations(file.annotations),
    },
    expected: {
      ...(file.size_bytes === undefined ? {} : { sizeBytes: file.size_bytes }),
      ...(file.digests === undefined ? {} : { digests: file.digests }),
    },
    signal: file.signal,
  };
}
