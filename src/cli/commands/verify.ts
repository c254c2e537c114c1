import type { Definition } from '../definition.ts';
import { manifestDigest, positiveInteger } from '../terminal/numbers.ts';
import type { VerifyOptions } from '../transfer/verify-package.ts';

export const verify: Definition = (command, context) => {
  command
    .argument('<package_id>', 'a sealed package')
    .argument('[dir]', "a directory that should hold the package's files; without it, the server's bytes are checked")
    .option('--manifest <file>', 'a saved manifest, CBOR or JSON; with it and a directory, no server is asked')
    .option('--digest <digest>', 'the manifest must have this digest, as push printed it', manifestDigest)
    .option('--jobs <n>', 'files at once', positiveInteger, 8)
    .addHelpText(
      'after',
      `
Asks the server for the manifest and checks it against the package and against
the log of events; then every byte of every file against the manifest, and in a
directory the executable bits. When something in a directory cannot be checked,
the rest still is. Ends with exit code 5 when anything is wrong, and says what.

When no server answers, a directory is checked against the manifest that
\`pull\` saved beside it, or against the manifest.json of an unpacked archive. A
saved manifest is trusted as it is; with --digest it must have the digest that
you noted.

Examples:
  $ artifactstore verify 0198c0de-5a1e-7000-8000-000000000001
  $ artifactstore verify 0198c0de-5a1e-7000-8000-000000000001 ./results
  $ artifactstore verify 0198c0de-5a1e-7000-8000-000000000001 ./results --manifest results.manifest.cbor
  $ artifactstore verify 0198c0de-5a1e-7000-8000-000000000001 ./results --digest blake3:21ab7210481c…`,
    )
    .action(async (packageId: string, directory: string | undefined, options: VerifyOptions) => {
      await (await import('../transfer/verify-package.ts')).verifyPackage(context(), packageId, directory, options);
    });
};
