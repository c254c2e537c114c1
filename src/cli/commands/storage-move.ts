import type { Definition } from '../definition.ts';
import type { StorageMoveOptions } from '../operate/move-storage.ts';
import { move, planMove } from '../operate/move-storage.ts';
import { bytesPerSecond, positiveInteger } from '../terminal/numbers.ts';

export const storageMove: Definition = (command, context) => {
  command
    .requiredOption('--from <id>', 'the storage backend to move from, such as local')
    .requiredOption('--to <id>', 'the one to move to')
    .option('--producer <name>', 'only packages of this producer')
    .option('--retention-class <slug>', 'only packages of this class')
    .option('--package <id>', 'only this package')
    .option('--jobs <n>', 'objects copied at once', positiveInteger, 4)
    .option('--rate <bytes>', 'copy at most this much a second, such as 50MB', bytesPerSecond)
    .option('--dry-run', 'say what would be moved, and change nothing')
    .addHelpText(
      'after',
      `
Works on the database and the storage directly, beside running servers, uploads
and collections. Copies the bytes, reads them back, then records the new place,
releases the old one and deletes what nobody needs there. Manifests do not
change, and files can be read all the time. Ends with exit code 5 when something
could not be moved because it is bad or missing. It may be stopped or killed at
any point: run it again, and it resumes. New files go where the configuration
says, so change that first.

Examples:
  $ artifactstore storage move --from local --to s3 --dry-run
  $ artifactstore storage move --from local --to s3 --rate 50MB
  $ artifactstore storage move --from local --to s3 --retention-class release-evidence`,
    )
    .action(async (options: StorageMoveOptions) => {
      await (options.dryRun === true ? planMove : move)(context(), options);
    });
};
