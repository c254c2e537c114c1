import type { Definition } from '../definition.ts';
import { positiveInteger } from '../terminal/numbers.ts';
import type { PullOptions } from '../transfer/pull-package.ts';

export const pull: Definition = (command, context) => {
  command
    .argument('<package_id>', 'a sealed package')
    .argument('<dir>', 'where its files go; made when it is not there')
    .option('--force', 'take a directory that is not empty, as after a pull that was stopped: wrong files are replaced, others stay')
    .option('--manifest <file>', 'save the manifest here: as JSON when the name ends in .json, else as canonical CBOR')
    .option('--no-manifest', 'do not save the manifest; without both it is saved beside the directory, as <dir>.manifest.cbor')
    .option('--jobs <n>', 'downloads at once', positiveInteger, 8)
    .addHelpText(
      'after',
      `
Every file is checked against the manifest before it gets its name; executable
files become executable again. A pull that was stopped is resumed with --force.

Examples:
  $ artifactstore pull 0198c0de-5a1e-7000-8000-000000000001 ./results
  $ artifactstore pull 0198c0de-5a1e-7000-8000-000000000001 ./results --force --manifest results.manifest.cbor`,
    )
    .action(async (packageId: string, directory: string, options: PullOptions) => {
      await (await import('../transfer/pull-package.ts')).pullPackage(context(), packageId, directory, options);
    });
};
