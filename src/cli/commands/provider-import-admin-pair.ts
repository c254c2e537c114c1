import { resolve } from 'node:path';
import { Option } from 'commander';
import { type ProviderKind, providerKinds } from '../../provider/PROVIDER.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { addProviderOptions, addStoreOptions, type PlaceOptions, placeOf } from '../provider-options.ts';

interface ImportPairOptions extends PlaceOptions {
  readonly provider: ProviderKind;
  readonly account: string;
  readonly tokenFile: readonly string[];
  readonly bucket?: string;
  readonly create?: boolean;
  readonly dryRun?: boolean;
}

export const providerImportAdminPair: Definition = (command, context) => {
  command
    .addOption(new Option('--provider <kind>', 'who gives the keys out').choices(providerKinds).makeOptionMandatory())
    .requiredOption('--account <id>', 'whose keys')
    .addOption(
      new Option('--token-file <file>', 'of slot a, and again of slot b: mode 0600, yours, no link')
        .makeOptionMandatory()
        .argParser((path: string, before: readonly string[] = []) => [...before, path]),
    )
    .option('--bucket <name>', 'also look whether the tokens see this bucket')
    .option('--create', 'begin a store in a directory that is empty')
    .option('--dry-run', 'verify everything, write nothing');
  addStoreOptions(command);
  addProviderOptions(command);
  command
    .addHelpText(
      'after',
      `
Verifies both tokens at the provider first: active, own metadata readable, every
permission there that a rotation needs, two different ones of one account. Then
keeps them as one document, reads that back and verifies it again. Nothing is
written unless all of it holds. Only fingerprints are shown.

Examples:
  $ artifactstore provider import-admin-pair --provider cloudflare-r2 \\
      --account 0123456789abcdef0123456789abcdef \\
      --token-file a.token --token-file b.token \\
      --store file:/etc/artifactstore/secrets --create --dry-run`,
    )
    .action(async (options: ImportPairOptions) => {
      const [a, b, ...more] = options.tokenFile;
      if (a === undefined || b === undefined || more.length > 0)
        return command.error("error: option '--token-file' must be given twice, and no more: slot a, slot b");
      await importPair(context(), options, [a, b]);
    });
};

async function importPair(context: Context, options: ImportPairOptions, files: readonly [string, string]): Promise<void> {
  using stop = stopOnSignal();
  const { output, directory } = context;
  const { provider, account, bucket, create = false, dryRun = false } = options;
  const commands = await context.provider();
  const report = await commands.importAdminPair({
    ...placeOf(context, options, stop.signal),
    provider,
    account,
    tokenFiles: [resolve(directory, files[0]), resolve(directory, files[1])],
    bucket,
    create,
    dryRun,
  });
  if (output.json) return output.value(report);
  const rows = report.tokens.map(({ slot, fingerprint, expires_at }) => [slot, fingerprint, expires_at ?? 'never']);
  await output.table(['slot', 'fingerprint', 'ends'], rows);
  if (report.bucket !== null)
    output.line(`bucket ${report.bucket.name}: ${report.bucket.is_there ? 'there' : 'not there: make it before the first rotation'}`);
  output.line(
    dryRun ? `nothing was written: both would be kept in ${report.store}` : `kept in ${report.store}, read back and verified again`,
  );
}
