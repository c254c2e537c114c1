import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { readSecretFile } from '../../runtime/secret-file.ts';
import type { BearerSource } from './BEARER.ts';
import { endedAt } from './renewed.ts';
import { checked } from './token.ts';

/**
 * The token in a file, of at most 64 KiB, read again when it was refused or is about to end: whoever issues it
 * replaces the file, as Kubernetes does with a projected token by turning a link. A file that others may read is
 * refused, except on a mount that is read-only. `setting` is what messages call where the path came from.
 */
export function tokenFromFile(path: string, setting = 'path'): BearerSource {
  const file = resolve(path);
  return {
    async take() {
      try {
        return await readToken(file, setting);
      } catch {
        // Somebody may be replacing it just now: turning a link, or writing in place.
        await sleep(replacingMilliseconds);
        return await readToken(file, setting);
      }
    },
    hint(refused) {
      const ended = endedAt(refused);
      return ended === undefined
        ? `the token is that of the file ${file} (${setting})`
        : `the token in the file ${file} ended at ${ended}, and nobody has put a newer one there (${setting})`;
    },
  };
}

const replacingMilliseconds = 50;

async function readToken(file: string, setting: string): Promise<string> {
  const read = await readSecretFile(file);
  if ('text' in read || read.fault === 'empty')
    return checked('text' in read ? read.text : '', `The token file ${file}`, `look at what writes the file, and at ${setting}`);
  const info = { hint: `look at ${setting}` };
  if (read.cause !== undefined) throw localFileError(read.cause, file, 'read', { field: setting, info });
  throw new ArtifactstoreError('local_file_failed', `The token file ${file} ${read.problem}.`, { field: setting });
}
