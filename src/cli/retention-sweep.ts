import type { Definition } from './definition.ts';
import { stopOnSignal } from './stop.ts';

export const retentionSweep: Definition = (command, context) => {
  command
    .option('--dry-run', 'say which packages would be marked, and change nothing')
    .addHelpText(
      'after',
      `
Works on the database directly, beside running servers or without any. Marks finalized packages whose time is over and that
nobody holds; deletes nothing. Always prints JSON: {marked_package_ids, marked_count}.

Example:
  $ artifactstore retention sweep --dry-run | jq .marked_count`,
    )
    .action(async ({ dryRun = false }: { readonly dryRun?: boolean }) => {
      const { config, output, openStore } = context();
      using stop = stopOnSignal();
      await using store = await openStore(config, { parts: 'database', readOnly: dryRun });
      output.value(await store.operator.sweep({ dryRun, signal: stop.signal }));
    });
};
