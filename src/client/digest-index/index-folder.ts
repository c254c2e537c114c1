import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { sha256, toHex, utf8 } from '../../kernel/content/digest.ts';
import { errnoCode } from '../../runtime/file-error.ts';
import { decodeIndex, encodeIndex, type IndexContent, maximumIndexBytes } from './index-file.ts';

/** Where the index of one directory is kept: one file for each directory that was pushed, in one folder for all. */
export interface IndexPlace {
  /** Undefined when there is none that can be used. */
  load(): IndexContent | undefined;
  /** Replaces what is there, and removes the indexes that were not used for longest when there are too many. */
  save(content: IndexContent): void;
  /** Says that it was used. */
  touch(): void;
}

/** What all indexes may take; a directory that changes its name with every push leaves one for each. */
const maximumIndexes = 200;
const maximumFolderBytes = 268_435_456;
/** No push takes this long between the making of a draft and its rename. */
const draftMilliseconds = 3_600_000;

const indexName = /^[0-9a-f]{64}$/;
const draftName = /^\.draft-[0-9a-f-]{36}$/;

/**
 * The index of `root` below `cacheDirectory`, which is made when it is first needed, for this user alone. Whatever
 * prevents its use is no error: the files are read then. So they are where the folder is below `root`: to keep it there
 * would change what is pushed.
 */
export function indexPlace(cacheDirectory: string, root: string): IndexPlace {
  const folder = join(cacheDirectory, 'digests');
  const path = (): string => {
    requireOutside(folder, root);
    return join(folder, toHex(sha256(utf8(realpathSync(root)))));
  };
  return {
    load: () => attempt(() => read(path())),
    touch: () => void attempt(() => utimesSync(path(), new Date(), new Date())),
    save(content) {
      attempt(() => {
        const index = path();
        makeFolders(cacheDirectory, folder);
        replace(folder, index, encodeIndex(content));
        prune(folder);
      });
    },
  };
}

/** Throws where the folder is in the directory that is pushed. */
export function requireOutside(folder: string, root: string): void {
  if (isWithin(realpathSync(root), realPlace(folder))) throw new Error('Nothing is kept in the directory that is pushed.');
}

/** The folder, in the cache directory. */
export function makeFolders(cacheDirectory: string, folder: string): void {
  for (const each of [dirname(cacheDirectory), cacheDirectory, folder]) makeFolder(each);
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Of what need not be there yet. */
function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
    return join(realPlace(dirname(path)), basename(path));
  }
}

/** Not with all its parents: Node never ends where the system says of each that it is not there, as in /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
}

export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Of this user, writable by no other, no link and of a possible length. */
function read(path: string): IndexContent | undefined {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > maximumIndexBytes) return undefined;
    const owner = process.getuid?.();
    if (owner !== undefined && (found.uid !== owner || (found.mode & 0o022) !== 0)) return undefined;
    return decodeIndex(readFileSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** All or nothing for readers; after a power cut it may be damaged, which `load` sees. */
export function replace(folder: string, path: string, bytes: Uint8Array): void {
  const draft = join(folder, `.draft-${randomUUID()}`);
  try {
    writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function prune(folder: string): void {
  const indexes: { path: string; sizeBytes: number; usedAt: number }[] = [];
  for (const name of readdirSync(folder)) {
    if (!indexName.test(name) && !draftName.test(name)) continue;
    const path = join(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    if (indexName.test(name)) indexes.push({ path, sizeBytes: found.size, usedAt: found.mtimeMs });
    else if (found.mtimeMs < Date.now() - draftMilliseconds) rmSync(path, { force: true });
  }
  indexes.sort((left, right) => right.usedAt - left.usedAt);
  let bytes = 0;
  for (const [index, { path, sizeBytes }] of indexes.entries()) {
    bytes += sizeBytes;
    if (index >= maximumIndexes || bytes > maximumFolderBytes) rmSync(path, { force: true });
  }
}
