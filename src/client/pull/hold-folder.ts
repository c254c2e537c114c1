import { closeSync, constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** A folder that is open: what is done at `path` is done in it, whatever stands at its name meanwhile. */
export interface HeldFolder {
  readonly path: string;
  /** Whether it still is what its name leads to, with no link on the way. */
  isInPlace(): boolean;
  release(): void;
}

/**
 * Opens a folder below `root`, without following a link. Undefined where the system has no way to name what is open, or
 * the folder can't be opened: then each name is looked at before it is used.
 */
export function holdFolder(root: string, folder: string): HeldFolder | undefined {
  if (process.platform !== 'linux') return undefined;
  let descriptor: number;
  try {
    descriptor = openSync(join(root, folder), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  const path = `/proc/self/fd/${descriptor}`;
  try {
    // Below /proc the system tells where an open folder is now (proc_pid_fd(5)).
    readlinkSync(path);
  } catch {
    closeSync(descriptor);
    return undefined;
  }
  return {
    path,
    isInPlace: () => readlinkSync(path) === join(realpathSync.native(root), folder),
    release: () => closeSync(descriptor),
  };
}
