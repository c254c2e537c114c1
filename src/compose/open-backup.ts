import type { BackupPlace } from '../backup/BACKUP.ts';
import { openBackupDirectory } from '../backup/directory.ts';
import { readObjectFiles } from '../backup/object-files.ts';
import { openDataPlane } from '../dataplane/streaming.ts';
import { openLocalStorage } from '../storage/local/local.ts';

/**
 * Opens a backup's directory, with its objects behind a data plane of their own: verified as they are written and read.
 */
export async function openBackup(directory: string, { write }: { readonly write: boolean }): Promise<BackupPlace> {
  return await openBackupDirectory(directory, {
    write,
    async openObjects(id, root) {
      const storage = write ? await openLocalStorage({ id, root }) : readObjectFiles(id, root);
      return openDataPlane({ backends: new Map([[id, storage]]) });
    },
  });
}
