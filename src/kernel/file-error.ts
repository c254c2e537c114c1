import { ArtifactstoreError } from './error.ts';

/**
 * What an operating system's error on `path` means for the store: `storage_full` when there is no room, else
 * `storage_unavailable`. Errors that did not come from the operating system are given back as they are.
 */
export function fileError(error: unknown, path: string): unknown {
  const code = errnoCode(error);
  if (code === undefined) return error;
  return fullCodes.has(code)
    ? new ArtifactstoreError('storage_full', `No room at ${path} (${code})`, { cause: error })
    : new ArtifactstoreError('storage_unavailable', `The store cannot be used at ${path} (${code})`, { cause: error });
}

/** `ENOENT` and its like, where the error is the operating system's; undefined otherwise. */
export function errnoCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof ArtifactstoreError) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' && typeof code === 'string' ? code : undefined;
}

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
