import { Option } from 'commander';
import type { Definition } from '../definition.ts';
import type { StorageVerifyOptions } from '../operate/verify-storage.ts';
import { listOrphans, verifyStorage } from '../operate/verify-storage.ts';
import { bytesPerSecond, positiveInteger, timeOrAge } from '../terminal/numbers.ts';

export const storageVerify: Definition = (command, context) => {
  const notWithOrphans = ['orphans', 'delete'];
  command
    .requiredOption('--backend <id>', 'the storage backend, such as local')
    .addOption(
      new Option('--since <time>', 'skip what was verified at this time (RFC 3339) or later; 7d is a week ago')
        .argParser((text) => timeOrAge(text))
        .conflicts(notWithOrphans),
    )
    .addOption(
      new Option('--rate <bytes>', 'read at most this much a second, such as 50MB').argParser(bytesPerSecond).conflicts(notWithOrphans),
    )
    .addOption(new Option('--jobs <n>', 'objects read at once').argParser(positiveInteger).default(2).conflicts(notWithOrphans))
    .addOption(new Option('--restart', 'start at the beginning, not where a stopped run was').conflicts(notWithOrphans))
    .addOption(
      new Option('--accept-missing', 'record objects as missing although not one of the first 100 is there').conflicts(notWithOrphans),
    )
    .option('--orphans', 'instead: list bytes in the backend that no event knows')
    .option('--delete', 'with --orphans: delete them')
    .addHelpText(
      'after',
      `
Works on the database and the storage directly, beside running servers. Reads
every object from end to end, checks both digests and records what it finds:
what is bad or missing shows in /health and is never served, what is good again
is cleared. Ends with exit code 5 when anything is bad or missing. An object
that cannot be read now, for example without permission, is neither: it is
reported, not recorded, and the exit code is 6. The exit code is also 6, with
nothing recorded, when the store itself is in doubt, or when not one of the
first 100 objects is there. A run that was stopped resumes where it was.

Examples:
  $ artifactstore storage verify --backend local
  $ artifactstore storage verify --backend local --since 7d --rate 50MB
  $ artifactstore storage verify --backend local --orphans --delete`,
    )
    .action(async (options: StorageVerifyOptions & { readonly orphans?: boolean }) => {
      if (options.delete === true && options.orphans !== true) command.error("error: option '--delete' goes with '--orphans' only");
      await (options.orphans === true ? listOrphans : verifyStorage)(context(), options);
    });
};
