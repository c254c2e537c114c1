import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDurableDirectory, syncDirectory } from '../runtime/durable-directory.ts';
import { errnoCode, fileReason } from '../runtime/file-error.ts';
import { readSecretFile } from '../runtime/secret-file.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { conflict, forbidden, storable, unavailable, unusable } from './failure.ts';
import type { Secrets } from './SECRETS.ts';
import { secretOf } from './secret.ts';
import { isSecretName, parseSecretName } from './secret-name.ts';

export interface DirectoryOptions {
  /** Whether nothing at all may be in the directory: only somebody who makes the first secret knows that. */
  readonly mayBeEmpty?: boolean;
}

/**
 * A directory of files, each a secret by its path, of mode 0600. It must be there: one that is not is no empty store,
 * it may not be mounted. Nor is one that has nothing in it, not even the lock that the first secret leaves there: it
 * may be the place of such a mount. Folders below it are made when they are needed.
 */
export function directorySecrets(root: string, { mayBeEmpty = false }: DirectoryOptions = {}): Secrets {
  function fileOf(name: string): string {
    const { path, field } = parseSecretName(name);
    if (field !== undefined) throw unusable(root, name, 'malformed', 'has a field behind "#": a file is one value');
    return join(root, path);
  }

  async function requireRoot(): Promise<Stats> {
    const found = await stat(root).catch((error: unknown) => {
      throw unavailable(
        root,
        `cannot be used: ${fileReason(error)}`,
        `make it with \`install -d -m 700 ${root}\`, or look at what mounts it`,
        error,
      );
    });
    if (!found.isDirectory()) throw unavailable(root, 'is not a directory', 'name a directory of files, one for each secret');
    const owner = process.geteuid?.() ?? found.uid;
    if ((found.mode & 0o022) === 0 && (found.uid === owner || found.uid === 0)) return found;
    const mend = found.uid === owner ? `chmod 700 ${root}` : `chown ${owner} ${root} && chmod 700 ${root}`;
    throw unavailable(root, 'may be changed by others, and what is in it with it', `run ${mend}`);
  }

  /** What is not in a directory that is bare is not missing: nobody knows. */
  async function requireContent(): Promise<void> {
    if (mayBeEmpty) return;
    const entries = await readdir(root).catch((error: unknown) => {
      throw failed(error);
    });
    if (entries.some((name) => name !== 'lost+found')) return;
    throw unavailable(
      root,
      'is an empty directory: it is new, or what belongs there is not mounted',
      'mount it; where it is a new store, say so with --create when its first secret is made',
    );
  }

  /** Undefined where there is nothing. */
  async function versionOf(path: string, name: string): Promise<string | undefined> {
    try {
      const { ino, size, mtimeNs } = await stat(path, { bigint: true });
      return `${ino}-${mtimeNs}-${size}`;
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw failed(error, name);
    }
  }

  function isRefusal(error: unknown): boolean {
    const code = errnoCode(error);
    return code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  }

  function failed(error: unknown, name?: string): unknown {
    if (errnoCode(error) === undefined) return error;
    if (name !== undefined && isRefusal(error))
      return forbidden(root, name, `cannot be used: ${fileReason(error)}`, 'run as the user whose directory it is');
    return unavailable(root, `cannot be used: ${fileReason(error)}`, 'look at its disk, and at who may use it', error);
  }

  /** Others may see there which secrets there are. Whoever only reads is not stopped by it. */
  async function requirePrivate(): Promise<void> {
    const { mode, uid } = await requireRoot();
    if ((mode & 0o077) === 0 || uid !== (process.geteuid?.() ?? uid)) return;
    throw unavailable(
      root,
      `is open to others (mode 0${(mode & 0o777).toString(8)}): nothing is written to it`,
      `run chmod 700 ${root}, if it has secrets and nothing else; name another one otherwise`,
    );
  }

  async function probe(name: string): Promise<void> {
    const path = fileOf(name);
    await requirePrivate();
    await requireContent();
    try {
      const draft = draftBeside(join(await nearestFolder(dirname(path)), 'probe'));
      await (await open(draft, 'wx', 0o600)).close();
      await rm(draft, { force: true });
    } catch (error) {
      // As in /proc: the directory is there, and no file can be made in it.
      if (isAbsence(error))
        throw unavailable(root, 'takes no files: it is none of a disk', 'name a directory of a disk, one that is kept', error);
      throw failed(error, name);
    }
  }

  return {
    place: root,
    async get(name) {
      const path = fileOf(name);
      await requireRoot();
      for (;;) {
        const version = await versionOf(path, name);
        const read = await readSecretFile(path);
        if ('text' in read) {
          // Replaced between the two looks: the version would be that of another value.
          if (version === undefined || version !== (await versionOf(path, name))) continue;
          return { value: secretOf(read.text), version };
        }
        const { problem, fault, cause } = read;
        if (fault === 'missing') {
          await requireContent();
          return undefined;
        }
        if (fault === 'unreachable') throw unavailable(root, `cannot be read: the file of "${name}" ${problem}`, 'look at its disk', cause);
        if (fault === 'forbidden') throw forbidden(root, name, problem, 'run as the user whose it is, or `chown` it');
        throw unusable(root, name, fault, problem);
      }
    },
    async list() {
      await requireRoot();
      await requireContent();
      try {
        return (await namesBelow(root, '', [])).sort();
      } catch (error) {
        throw failed(error);
      }
    },
    writer: {
      async put(name, value, expected) {
        const path = fileOf(name);
        const text = storable(name, value);
        // Who may not write here learns it before anything is locked.
        await probe(name);
        try {
          await makeDurableDirectory(dirname(path), 0o700);
          return await withDirectoryLock(root, async () => {
            if ((await versionOf(path, name)) !== expected) throw conflict(root, name);
            await removeDrafts(dirname(path));
            await replace(path, text, expected === undefined);
            return (await versionOf(path, name)) ?? '';
          });
        } catch (error) {
          throw errnoCode(error) === 'EEXIST' ? conflict(root, name) : failed(error, name);
        }
      },
      probeWrite: (name) => probe(name),
    },
    async close() {},
  };
}

function isAbsence(error: unknown): boolean {
  const code = errnoCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What begins with a dot is ours, or of whoever swaps the files; a link is listed for what it leads to. */
async function namesBelow(root: string, prefix: string, names: string[]): Promise<string[]> {
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    const name = `${prefix}${entry.name}`;
    if (!isSecretName(name) || entry.name.includes('#')) continue;
    if (names.length >= mostNames)
      throw unavailable(root, `has more than ${mostNames} files`, 'name a directory that has secrets and nothing else');
    if (entry.isDirectory()) await namesBelow(root, `${name}/`, names);
    else names.push(name);
  }
  return names;
}

const mostNames = 10_000;

/** Of a folder that `put` would make, the one above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw error;
  });
  return found === undefined ? await nearestFolder(dirname(path)) : path;
}

function draftBeside(path: string): string {
  return join(dirname(path), `.${randomUUID()}.draft`);
}

/** Who was killed while it wrote has left a value in one. Nobody else writes here: the caller has the lock. */
async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (/^\.[0-9a-f-]{36}\.draft$/.test(name)) await rm(join(folder, name), { force: true });
}

/** In one step, and durable before it answers. A new name is linked, which fails where one is there by now. */
async function replace(path: string, text: string, isNew: boolean): Promise<void> {
  const draft = draftBeside(path);
  try {
    await using handle = await open(draft, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
    if (isNew) await link(draft, path);
    else await rename(draft, path);
    await syncDirectory(dirname(path));
  } finally {
    await rm(draft, { force: true });
  }
}
