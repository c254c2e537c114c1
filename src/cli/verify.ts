import type { Definition } from './definition.ts';
import { positiveInteger } from './numbers.ts';
import type { VerifyOptions } from './verify-package.ts';

export const verify: Definition = (command, context) => {
  command
    .argument('<package_id>', 'a sealed package')
    .argument('[dir]', "a directory that should hold the package's files; without it, the server's bytes are checked")
    .option('--manifest <file>', 'a saved manifest, CBOR or JSON; with it and a directory, no server is asked')
    .option('--jobs <n>', 'files at once', positiveInteger, 8)
    .addHelpText(
      'after',
      `
Asks the server for the manifest and checks it against the package and against the log of events; then every byte of every
file against the manifest. Ends with exit code 5 when anything is wrong, and says what.

Examples:
  $ artifactstore verify 0198c0de-5a1e-7000-8000-000000000001
  $ artifactstore verify 0198c0de-5a1e-7000-8000-000000000001 ./results
  $ artifactstore verify 0198c0de-5a1e-7000-8000-000000000001 ./results --manifest results.manifest.cbor`,
    )
    .action(async (packageId: string, directory: string | undefined, options: VerifyOptions) => {
      await (await import('./verify-package.ts')).verifyPackage(context(), packageId, directory, options);
    });
};
