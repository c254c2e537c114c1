import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode, fileReason } from '../runtime/file-error.ts';
import { type Secret, secretOf } from '../secrets/secret.ts';

/**
 * Reads the file of an account's authority, which is worth more than any key: it must be a regular file, no link, this
 * user's own, with no right for anybody else, and short. The stricter sibling of `runtime/secret-file.ts`, which
 * follows what a platform mounts. White space around the text and a byte order mark are no part of it. Errors:
 * `local_file_failed` where it cannot be read, `authority_unusable` for what is in it.
 */
export async function readTokenFile(path: string): Promise<Secret> {
  const bytes = await bytesOf(path);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
    if (text === '') throw unusable(path, 'is empty', 'write the token into it: nothing else');
    if (!/^[\x21-\x7e]+$/.test(text))
      throw unusable(path, 'holds more than one word of plain ASCII', 'write the token into it: nothing else');
    return secretOf(text);
  } catch (error) {
    if (error instanceof ArtifactstoreError) throw error;
    throw unusable(path, 'is not text in UTF-8', 'write the token into it as text');
  } finally {
    bytes.fill(0);
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    // Without the second flag the opening of a pipe waits for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const found = await handle.stat();
    if (found.isDirectory()) throw refused(path, 'is a directory', 'name the file in it');
    if (!found.isFile()) throw refused(path, 'is not a regular file', 'write the token to a file of mode 0600');
    const self = process.geteuid?.() ?? found.uid;
    if (found.uid !== self) throw refused(path, `belongs to another user (${found.uid})`, `run \`chown ${self} ${path}\`, or be that user`);
    const mode = `mode 0${(found.mode & 0o777).toString(8)}`;
    if ((found.mode & 0o077) !== 0)
      throw refused(path, `is open to others (${mode})`, `run \`chmod 600 ${path}\`, and take the token for seen`);
    const buffer = new Uint8Array(largestBytes + 1);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    if (bytesRead > largestBytes) throw refused(path, `is longer than ${largestBytes} bytes`, 'name the file of a token');
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof ArtifactstoreError) throw error;
    if (isAbsent(error) && mayBeValue(path)) throw unnamed();
    if (errnoCode(error) === 'ELOOP') throw refused(path, 'is a link', 'name the file that it leads to');
    throw refused(path, `cannot be read: ${fileReason(error)}`, 'look at the path, and at who may read it', error);
  } finally {
    await handle?.close();
  }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(errnoCode(error) ?? '');
}

/** Whether a path could be the authority itself, in the place of its file: a token, or `ACCESS_KEY_ID:SECRET…`. */
function mayBeValue(path: string): boolean {
  const last = path.slice(path.lastIndexOf('/') + 1);
  const isToken = /^[\w-]{30,}$/.test(last) && [/\d/, /[a-z]/i].every((each) => each.test(last));
  return isToken || /(?:^|\/)[^/:]{16,}:./.test(path);
}

/** Without its cause, which has the path. */
function unnamed(): ArtifactstoreError {
  return new ArtifactstoreError(
    'local_file_failed',
    'What --token-file names is not there. It is not repeated: it may be the token itself.',
    {
      field: '--token-file',
      info: { hint: 'give the path of a file; a token that was on a command line is in the history of your shell: make another one' },
    },
  );
}

function refused(path: string, what: string, hint: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('local_file_failed', `The token file ${path} ${what}.`, { field: '--token-file', info: { hint }, cause });
}

function unusable(path: string, what: string, hint: string): ArtifactstoreError {
  const info = { fault: 'malformed', hint };
  return new ArtifactstoreError('authority_unusable', `The token file ${path} ${what}.`, { field: '--token-file', info });
}

const largestBytes = 4096;
