import type { Definition } from '../definition.ts';
import type { BackupCommandOptions } from '../operate/make-backup.ts';
import { bytesPerSecond, positiveInteger } from '../terminal/numbers.ts';

export const backup: Definition = (command, context) => {
  command
    .argument('<dir>', 'the copy: a new or empty directory, or an earlier backup of this registry')
    .option('--jobs <n>', 'objects copied at once', positiveInteger, 16)
    .option('--rate <bytes>', 'copy at most this much a second, such as 50MB', bytesPerSecond)
    .option('--verify', 'read every object of the copy again at the end, those of earlier runs too')
    .addHelpText(
      'after',
      `
Works on the database and the storage directly, beside running servers, uploads
and collections, and changes no package. Copies the log and every object that is
live at its end; an earlier backup in the directory is continued, and only what
is new is copied. At the end it checks the whole copied log and that every
object is there. It may be stopped or killed at any point: run it again. Ends
with exit code 5 when something live could not be copied, and names it.

Examples:
  $ artifactstore backup /mnt/backup/artifacts
  $ artifactstore backup /mnt/backup/artifacts --rate 50MB
  $ artifactstore backup verify /mnt/backup/artifacts`,
    )
    .action(async (directory: string, options: BackupCommandOptions) => {
      await (await import('../operate/make-backup.ts')).makeBackup(context(), directory, options);
    });
};
