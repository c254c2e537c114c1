import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoCode } from './file-error.ts';

/**
 * What a file of a secret holds, or what is wrong with it: half a sentence about the file, never about what is in it.
 */
export type SecretFile =
  | { readonly text: string }
  | { readonly problem: string; readonly fault: SecretFileFault; readonly cause?: unknown };

/**
 * `exposed`: others can read it, change it, or turn the link that leads to it. `forbidden`: this process may not read
 * it. `malformed`: it is no file of text. `unreachable`: the system failed, so nothing is known of it.
 */
export type SecretFileFault = 'missing' | 'empty' | 'exposed' | 'forbidden' | 'malformed' | 'unreachable';

/**
 * Reads a file that holds a secret, without a byte order mark and the line end at its end: the one reader of them all.
 * One that others may read or change is refused with the command that mends it, since a secret that anybody on the
 * machine could have read is none: it must be this user's or root's, and no one else's; of a file of root's a group may
 * read it, which is how a system gives a service what the service cannot change. Where the file lies on a mount that is
 * read-only (a Secret of Kubernetes, a secret of Docker) nobody can mend it, and whoever mounts it decides who sees the
 * mount: there owner and mode are taken as they are. A link is followed only to what lies below its own folder, as
 * Kubernetes swaps the files of a volume.
 */
export async function readSecretFile(path: string): Promise<SecretFile> {
  let handle: FileHandle | undefined;
  try {
    const place = await placeOf(path);
    if (place === undefined) return { problem: linkProblem, fault: 'exposed' };
    // Without the second flag the opening of a pipe waits for a writer.
    handle = await open(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const found = await handle.stat();
    if (found.isDirectory()) return { problem: 'is a directory', fault: 'malformed' };
    if (!found.isFile()) return { problem: 'is not a regular file', fault: 'malformed' };
    if (found.size > largestBytes) return tooLong;
    const exposed = openProblem(path, found.mode, found.uid);
    if (exposed !== undefined && !(await isOnReadOnlyMount(place))) return { problem: exposed, fault: 'exposed' };
    return textOf(await bytesOf(handle));
  } catch (cause) {
    const code = errnoCode(cause) ?? 'unknown';
    return { problem: `cannot be read (${code})`, fault: faults[code] ?? 'unreachable', cause };
  } finally {
    await handle?.close();
  }
}

const largestBytes = 65_536;
const tooLong = { problem: `is longer than ${largestBytes} bytes`, fault: 'malformed' } as const;
const linkProblem = 'is a link that leads out of its folder: name the file itself';

const faults: Readonly<Record<string, SecretFileFault>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  ELOOP: 'malformed',
  ENXIO: 'malformed',
};

/** Undefined for a link that leads out of its folder. */
async function placeOf(path: string): Promise<string | undefined> {
  if (!(await lstat(path)).isSymbolicLink()) return path;
  const [target, folder] = await Promise.all([realpath(path), realpath(dirname(path))]);
  return target.startsWith(folder === '/' ? folder : `${folder}/`) ? target : undefined;
}

/** It may have become longer since it was looked at. */
async function bytesOf(handle: FileHandle): Promise<Uint8Array> {
  const buffer = Buffer.alloc(largestBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
}

/** The decoder leaves the byte order mark out. */
function textOf(bytes: Uint8Array): SecretFile {
  if (bytes.length > largestBytes) return tooLong;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    return { problem: 'is not text in UTF-8', fault: 'malformed' };
  }
  return text.trim() === '' ? { problem: 'is empty', fault: 'empty' } : { text };
}

function openProblem(path: string, mode: number, owner: number): string | undefined {
  const self = process.geteuid?.() ?? owner;
  const who = whoElse(mode, owner, self);
  if (who === undefined) return undefined;
  const quoted = /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  const mend = owner === self ? `chmod 600 ${quoted}` : `chown ${self} ${quoted} && chmod 600 ${quoted}`;
  return `${who} (mode 0${(mode & 0o777).toString(8)}): run ${mend}`;
}

function whoElse(mode: number, owner: number, self: number): string | undefined {
  if ((mode & 0o004) !== 0) return 'may be read by everybody on this machine';
  if ((mode & 0o023) !== 0) return 'may be changed or used by others';
  if (owner !== self && owner !== 0) return `belongs to another user (${owner})`;
  return (mode & 0o070) !== 0 && owner === self ? 'may be read by its group' : undefined;
}

/** As the system tells it (proc_pid_mountinfo(5)); where it does not, no. */
async function isOnReadOnlyMount(path: string): Promise<boolean> {
  try {
    const [real, mounts] = await Promise.all([realpath(path), readFile('/proc/self/mountinfo', 'utf8')]);
    return mountIsReadOnly(mounts, real);
  } catch {
    return false;
  }
}

/** Of the mount that holds the path: the longest that is a beginning of it, and the last of those in one place. */
export function mountIsReadOnly(mounts: string, path: string): boolean {
  let best = { point: '', readOnly: false };
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , escaped, options = ''] = before.split(' ');
    if (escaped === undefined) continue;
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    if (!holds || point.length < best.point.length) continue;
    const flags = [options, after.split(' ').at(-1) ?? ''].flatMap((list) => list.split(','));
    best = { point, readOnly: flags.includes('ro') };
  }
  return best.readOnly;
}
