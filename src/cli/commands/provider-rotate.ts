import { Option } from 'commander';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { addProviderOptions, addStoreOptions, type PlaceOptions, placeOf, secondsFrom } from '../provider-options.ts';

interface RotateCommandOptions extends PlaceOptions {
  readonly bucket: string;
  readonly prefix: string;
  readonly otherBucket: string;
  readonly lifetime: number;
  readonly overlap: number;
  readonly dryRun?: boolean;
}

export const providerRotate: Definition = (command, context) => {
  command
    .requiredOption('--bucket <name>', 'the keys reach this bucket and no other')
    .option('--prefix <prefix>', 'the keys reach what is below it only: not every provider can do that', '')
    .requiredOption('--other-bucket <name>', 'a bucket that is there and that the keys must not reach')
    .addOption(
      new Option('--lifetime <seconds>', 'how long the keys live, where they end').default(604_800).argParser(secondsFrom(3600, 604_800)),
    )
    .addOption(new Option('--overlap <seconds>', 'how long the old keys stay good').default(900).argParser(secondsFrom(0, 86_400)))
    .option('--dry-run', 'ask everything, print the plan, change nothing');
  addStoreOptions(command);
  addProviderOptions(command);
  command
    .addHelpText(
      'after',
      `
Makes keys for admin and proxy, proves them inside and outside of their scope,
keeps them as one generation, makes it the current one, waits for the overlap,
and ends the generation before it. Servers take the new keys without a restart.

Each step is written down: the next run finishes or ends what one that was
stopped or killed left. Whatever fails before the new keys are current ends
them again.

Examples:
  $ artifactstore provider rotate --store file:/etc/artifactstore/secrets \\
      --bucket artifacts --other-bucket payroll --dry-run`,
    )
    .action(async (options: RotateCommandOptions) => {
      if (options.otherBucket === options.bucket)
        return command.error("error: option '--other-bucket' must name another bucket than --bucket");
      await rotate(context(), options);
    });
};

async function rotate(context: Context, options: RotateCommandOptions): Promise<void> {
  using stop = stopOnSignal();
  const { output } = context;
  const { bucket, otherBucket, lifetime, overlap, dryRun = false } = options;
  const asked = {
    ...placeOf(context, options, stop.signal),
    bucket,
    prefix: options.prefix.replace(/^\/+|\/+$/g, ''),
    otherBucket,
    lifetimeSeconds: lifetime,
    overlapSeconds: overlap,
  };
  const commands = await context.provider();
  if (dryRun) {
    const plan = await commands.planRotation(asked);
    if (output.json) return output.value(plan);
    for (const [index, step] of plan.steps.entries()) output.line(`${index + 1}. ${step}`);
    return output.line('nothing was changed');
  }
  const report = await commands.rotate(asked);
  if (output.json) return output.value(report);
  await output.table(
    ['role', 'id', 'ends'],
    report.keys.map(({ role, id, expires_at }) => [role, id, expires_at ?? 'never']),
  );
  const before = report.previous === null ? '' : `; generation ${report.previous} was ended (${report.revoked.length} keys)`;
  output.line(`generation ${report.generation} is the current one${before}`);
  if (report.resumed) output.warn('this finished an earlier run: run it again where its keys may have leaked');
}
