import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { warnOfClock } from '../terminal/clock-warning.ts';

export const retentionSweep: Definition = (command, context) => {
  command
    .option('--dry-run', 'say which packages would be marked, and change nothing')
    .option('--accept-clock', "sweep and collect although this machine's clock is in doubt")
    .addHelpText(
      'after',
      `
Works on the database directly, beside running servers or without any. Marks
sealed packages that have expired and that nobody holds; deletes nothing.
Always prints JSON: {marked_package_ids, marked_count}. Refuses to work while
this machine's clock is in doubt (docs/operate/retain.md); the JSON of a dry run
then has clock_doubt.

Example:
  $ artifactstore retention sweep --dry-run | jq .marked_count`,
    )
    .action(async ({ dryRun = false, acceptClock = false }: { readonly dryRun?: boolean; readonly acceptClock?: boolean }) => {
      const { config, output, openStore } = context();
      using stop = stopOnSignal();
      await using store = await openStore(config, { parts: 'database', readOnly: dryRun });
      if (acceptClock) store.operator.acceptClock();
      const clock_doubt = dryRun ? await warnOfClock(store.operator, output) : undefined;
      const swept = await store.operator.sweep({ dryRun, signal: stop.signal });
      output.value({ ...swept, ...(clock_doubt === undefined ? {} : { clock_doubt }) });
    });
};
