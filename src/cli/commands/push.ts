import type { Definition } from '../definition.ts';
import { positiveInteger } from '../terminal/numbers.ts';
import type { PushOptions } from '../transfer/push-directory.ts';

export const push: Definition = (command, context) => {
  command
    .argument('<dir>', 'the directory; every file below it becomes a file of the package')
    .option('--name <name>', "the package's name (default: the name of the directory)")
    .option('--producer <producer>', 'who made it', 'cli')
    .option('--subject <subject>', 'what it is about (default: the name)')
    .option('--retention-class <slug>', 'how long it is kept', 'raw-evidence')
    .option('--metadata <key=value>', 'a JSON value, or else a string; can be given again', (text, all: readonly string[] = []) => [
      ...all,
      text,
    ])
    .option('--metadata-file <file>', 'a JSON object; --metadata overrides it')
    .option('--metadata-schema <slug>', 'a registered schema that the metadata must match')
    .option('--idempotency-key <key>', 'with the same key, a push that failed is resumed where it stopped')
    .option('--jobs <n>', 'requests at once', positiveInteger, 8)
    .addHelpText(
      'after',
      `
Hidden and empty files are files; symbolic links are refused; empty directories
are left out, with a warning. Bytes that the server has are not sent again.

Examples:
  $ artifactstore push ./results --producer ci --subject nightly
  $ artifactstore push ./results --retention-class release-evidence --metadata build=42 --metadata branch=main
  $ artifactstore push ./results --json --idempotency-key "$CI_JOB_ID"`,
    )
    .action(async (directory: string, options: PushOptions) => {
      await (await import('../transfer/push-directory.ts')).pushDirectory(context(), directory, options);
    });
};
