import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** A folder that is open: what is done at `path` is done in it, whatever stands at its name meanwhile. */
export interface HeldFolder {
  readonly path: string;
  /** Whether it still is what its name leads to, with no link on the way; false where that can't be known. */
  isInPlace(): boolean;
  release(): void;
}

const asFolder = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Opens a folder below `root`, without following a link. Undefined where the system has no way to name what is open, or
 * the folder can't be opened: then each name is looked at before it is used.
 */
export function holdFolder(root: string, folder: string): HeldFolder | undefined {
  if (process.platform !== 'linux') return undefined;
  let descriptor: number;
  try {
    descriptor = openSync(join(root, folder), asFolder | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  if (placeOf(descriptor) === undefined) {
    closeSync(descriptor);
    return undefined;
  }
  return {
    path: pathOf(descriptor),
    isInPlace() {
      const above = placeOfRoot(root);
      const place = placeOf(descriptor);
      if (above === undefined || place === undefined) return false;
      const expected = join(above, folder);
      return place === expected || (place.startsWith(above) && isSameName(place.slice(above.length), expected.slice(above.length)));
    },
    release: () => closeSync(descriptor),
  };
}

/** Which leads to what is open (proc_pid_fd(5)). */
function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** Where what is open is now; undefined where nobody can tell. */
function placeOf(descriptor: number): string | undefined {
  try {
    return readlinkSync(pathOf(descriptor));
  } catch {
    return undefined;
  }
}

/** Of the directory that was asked for, which may be reached by a link. */
function placeOfRoot(root: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(root, asFolder);
    return placeOf(descriptor);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Some file systems take names in any case and Unicode form, and tell the one that was there first. */
function isSameName(left: string, right: string): boolean {
  return left.normalize('NFC').toLowerCase() === right.normalize('NFC').toLowerCase();
}
