import { resolve } from 'node:path';
import { verifyPackage } from '../../client/verify/verify-package.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { connect, longPatienceSeconds } from '../connect.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { optionNames } from '../option-names.ts';
import { withHint } from '../terminal/hint.ts';
import { manifestDigest, positiveInteger } from '../terminal/numbers.ts';
import { createProgress } from '../terminal/progress.ts';
import { reportVerification } from '../terminal/verify-report.ts';

interface VerifyCommandOptions {
  readonly manifest?: string;
  readonly digest?: string;
  readonly jobs: number;
}

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
    .action(async (packageId: string, directory: string | undefined, options: VerifyCommandOptions) => {
      await verifyFiles(context(), packageId, directory, options);
    });
};

async function verifyFiles(
  context: Context,
  packageId: string,
  directory: string | undefined,
  { manifest, digest, jobs }: VerifyCommandOptions,
): Promise<void> {
  const { output } = context;
  if (manifest !== undefined && directory === undefined)
    throw new ArtifactstoreError('invalid_value', 'With --manifest a directory is checked: name it after the package id.', {
      field: 'dir',
    });
  using stop = stopOnSignal();
  await using registry = manifest === undefined ? connect(context, { patienceSeconds: longPatienceSeconds }) : undefined;
  const progress = await createProgress(output, 'verifying');
  const verification = await verifyPackage(registry, packageId, {
    jobs,
    ...(directory === undefined ? {} : { directory: resolve(context.directory, directory) }),
    ...(manifest === undefined ? {} : { manifest: resolve(context.directory, manifest) }),
    ...(digest === undefined ? {} : { digest }),
    signal: stop.signal,
    names: optionNames,
    onTotal: progress.grow,
    onDone: progress.advance,
  })
    .catch((error: unknown) => {
      if (directory === undefined || !isArtifactstoreError(error, 'server_unreachable')) throw error;
      throw withHint(error, 'without a server a saved manifest will do: --manifest <file>, best with --digest and what push printed');
    })
    .finally(progress.stop);
  await reportVerification(output, verification, registry === undefined ? undefined : context.config.apiUrl);
}
