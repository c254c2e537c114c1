import { resolve } from 'node:path';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { incomplete, tellBad } from '../terminal/backup-report.ts';
import { positiveInteger } from '../terminal/numbers.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { count, counted, formatBytes } from '../terminal/size.ts';

export const backupVerify: Definition = (command, context) => {
  command
    .argument('<dir>', 'the backup')
    .option('--jobs <n>', 'objects read at once', positiveInteger, 4)
    .addHelpText(
      'after',
      `
Reads the backup alone: it needs no database, no storage and no configuration,
and makes nothing. Checks the copied log from its first event to the head that
backup.json names, and reads every object, both digests. Ends with exit code 5
when anything is damaged, missing or not finished.

Example:
  $ artifactstore backup verify /mnt/backup/artifacts`,
    )
    .action(async (directory: string, { jobs }: { readonly jobs: number }) => {
      const given = context();
      const { output } = given;
      using stop = stopOnSignal();
      using progress = createProgressLine(output);
      const checked = await given.checkBackup(resolve(given.directory, directory), {
        read: true,
        jobs,
        signal: stop.signal,
        onProgress: ({ events, objects, bytes }) =>
          progress.show(() => `reading: ${count(events)} events, ${count(objects)} objects, ${formatBytes(bytes)}`),
      });
      progress.clear();
      const ok = checked.problems.length + checked.missing.length === 0;
      if (output.json) output.value({ ok, ...checked });
      else {
        tellBad(output, checked);
        const { sequence, objects, bytes, registry_id, finished_at, chain_digest } = checked;
        const head = ok ? output.colors.green('verified') : 'read';
        output.line(`${head} the log up to event ${sequence} and ${counted(objects, 'object')} (${formatBytes(bytes)})`);
        output.note(`registry ${registry_id}, finished ${finished_at ?? 'never'}, head ${chain_digest}`);
      }
      if (!ok) throw incomplete(checked, 'run `artifactstore backup --verify` on the registry: it copies what is damaged once more');
    });
};
