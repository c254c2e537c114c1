import { constants } from 'node:fs';
import { type FileHandle, open, readFile, realpath } from 'node:fs/promises';
import { errnoCode } from './file-error.ts';

/**
 * What a file of a secret holds, or what is wrong with it: half a sentence about the file, never about what is in it.
 */
export type SecretFile = { readonly text: string } | { readonly problem: string; readonly cause?: unknown };

/**
 * Reads a file that holds a secret. One that others may read, or that its group may write, is refused with the command
 * that mends it: a secret that anybody on the machine could have read is none. Where the file lies on a mount that is
 * read-only (a Secret of Kubernetes, a secret of Docker) nobody can mend it, and whoever mounts it decides who sees the
 * mount: there it is taken as it is.
 */
export async function readSecretFile(path: string): Promise<SecretFile> {
  let handle: FileHandle | undefined;
  try {
    // Without it the opening of a pipe waits for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (found.isFile() && found.size > largestBytes) return { problem: `is longer than ${largestBytes} bytes` };
    if (!found.isFile() && !found.isDirectory()) return { problem: 'is not a regular file' };
    if (found.isFile() && (found.mode & openBits) !== 0 && !(await isOnReadOnlyMount(path)))
      return { problem: openProblem(path, found.mode, found.uid) };
    return { text: await handle.readFile('utf8') };
  } catch (cause) {
    return { problem: `cannot be read (${errnoCode(cause) ?? 'unknown'})`, cause };
  } finally {
    await handle?.close();
  }
}

const largestBytes = 65_536;
/** Anything of others, and writing by the group. */
const openBits = 0o027;

function openProblem(path: string, mode: number, owner: number): string {
  const who = (mode & 0o004) !== 0 ? 'may be read by everybody on this machine' : 'may be changed or used by others';
  const quoted = /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  const self = process.getuid?.() ?? owner;
  const mend = owner === self ? `chmod 600 ${quoted}` : `chown ${self} ${quoted} && chmod 600 ${quoted}`;
  return `${who} (mode 0${(mode & 0o777).toString(8)}): run ${mend}`;
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
