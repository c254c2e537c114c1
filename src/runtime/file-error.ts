import { ArtifactstoreError, type ErrorCode, type ErrorDetail } from '../kernel/error.ts';

/**
 * What an operating system's error on `path` means for the store: `storage_full` when there is no room, else
 * `storage_unavailable`. Errors that did not come from the operating system are given back as they are.
 */
export function fileError(error: unknown, path: string): unknown {
  const code = errnoCode(error);
  if (code === undefined) return error;
  return fullCodes.has(code)
    ? new ArtifactstoreError('storage_full', `No room at ${path}: ${fileReason(error)}.`, { cause: error })
    : new ArtifactstoreError('storage_unavailable', `The store cannot be used at ${path}: ${fileReason(error)}.`, { cause: error });
}

/**
 * What an operating system's error means for a person whose own file or folder `path` is: a sentence that names it, and
 * what to do where that is known. `done` is what was to be done with it: `read`, `written`, `made`. `storage_full` when
 * there is no room, `invalid_path` when another path would help, else `local_file_failed`. Errors that did not come
 * from the operating system are given back as they are.
 */
export function localFileError(error: unknown, path: string, done: string, detail: ErrorDetail = {}): unknown {
  const code = errnoCode(error);
  if (code === undefined) return error;
  // What is there has no disk, and some of it is there for few to read.
  const isOfKernel = code === 'EIO' && /^\/(?:proc|sys)\//.test(path);
  const hint = isOfKernel ? undefined : hints[code];
  const reason = isOfKernel ? `it is no file but a part of the running system, which gives nothing of it (${code})` : fileReason(error);
  const message = processCodes.has(code)
    ? `${reason[0]!.toUpperCase()}${reason.slice(1)}${path === '' ? '.' : `: "${path}" could not be ${done}.`}`
    : `${path === '' ? 'A file' : `"${path}"`} can't be ${done}: ${reason}.`;
  return new ArtifactstoreError(isOfKernel ? 'invalid_path' : localCode(code), message, {
    ...detail,
    info: { cause: code, ...(hint === undefined ? {} : { hint }), ...detail.info },
    cause: error,
  });
}

/**
 * What the operating system said, as the end of a sentence, with its code: `it is not there (ENOENT)`. The one table of
 * them.
 */
export function fileReason(error: unknown): string {
  const code = errnoCode(error) ?? 'unknown';
  const reason = reasons[code];
  return reason === undefined ? `the system says ${code}` : `${reason} (${code})`;
}

/** `ENOENT` and its like, where the error is the operating system's; undefined otherwise. */
export function errnoCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof ArtifactstoreError) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' && typeof code === 'string' ? code : undefined;
}

function localCode(code: string): ErrorCode {
  if (fullCodes.has(code)) return 'storage_full';
  return pathCodes.has(code) ? 'invalid_path' : 'local_file_failed';
}

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Another path, or other rights on this one, would help. */
const pathCodes: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'ENOTEMPTY',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENAMETOOLONG',
  'ELOOP',
  'EINVAL',
  'EILSEQ',
]);

/** No fault of the path at which it showed. */
const processCodes: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ENOTDIR: 'a part of its path is a file, not a directory',
  EISDIR: 'it is a directory',
  EEXIST: 'something else is there',
  ENOTEMPTY: 'the directory is not empty',
  EACCES: 'this user has no permission',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: "this user's quota is used up",
  EFBIG: 'the file would be larger than is allowed there',
  ENAMETOOLONG: 'the name is too long for the file system',
  ELOOP: 'it is a symbolic link, or its links lead in a circle',
  EINVAL: 'the file system does not take this',
  EILSEQ: 'the file system does not take this name',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the machine has too many files open',
  ENOMEM: 'the machine is out of memory',
  EIO: 'the disk reports an error',
  ENXIO: 'its device is not there',
  ENODEV: 'its device is not there',
  EBUSY: 'something else uses it',
  ETXTBSY: 'it is a program that is running',
  EXDEV: 'it is on another file system',
  ESTALE: 'the network file system no longer knows it',
  ENOTCONN: 'its file system is not connected',
  EHOSTDOWN: 'the server of its file system does not answer',
  ETIMEDOUT: 'its file system does not answer',
};

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on that disk and run the command again',
  EDQUOT: 'make room on that disk and run the command again',
  EFBIG: '`ulimit -f` shows the limit of this user; file systems have their own',
  EACCES: '`ls -ld` on it and on the directories above it shows who may use it',
  EMFILE: 'fewer at once help (--jobs, where the command has it), or a higher limit: `ulimit -n` shows it',
  ENFILE: 'fewer at once help (--jobs, where the command has it), or fewer other programs',
  EIO: 'the log of the system (`dmesg`) says more; the disk may be broken',
};
