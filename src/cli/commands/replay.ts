import type { Definition } from '../definition.ts';
import { createProgressCount } from '../terminal/progress-count.ts';
import { counted } from '../terminal/size.ts';

export const replay: Definition = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Works on the database directly, in one transaction: readers see the old views or
the new ones. The views are what the log says, so this changes nothing unless
they were damaged or their code has changed. A broken log is refused with exit
code 5.

Example:
  $ artifactstore replay`,
    )
    .action(async () => {
      const { config, output, openStore } = context();
      await using store = await openStore(config, { parts: 'database' });
      using progress = createProgressCount(output, 'replaying events');
      const { events, sequence } = await store.operator.replay(progress.show);
      progress.end();
      if (output.json) output.value({ events, sequence });
      else output.line(`${output.colors.green('replayed')} ${counted(events, 'event')}, up to sequence ${sequence}`);
    });
};
