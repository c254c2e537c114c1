import { resolve } from 'node:path';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { incomplete, orRoomHint, tellBad } from '../terminal/backup-report.ts';
import { positiveInteger } from '../terminal/numbers.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { count, counted, formatBytes } from '../terminal/size.ts';

interface RestoreCommandOptions {
  readonly jobs: number;
  readonly resume?: boolean;
}

export const restore: Definition = (command, context) => {
  command
    .argument('<dir>', 'the backup')
    .option('--jobs <n>', 'objects put back at once', positiveInteger, 16)
    .option('--resume', 'keep the objects that are in the storage: after a restore that was stopped, or when only the database was lost')
    .addHelpText(
      'after',
      `
Restores a registry into the database and the storage that the configuration
names. Both must be empty or not exist; anything else is refused, and nothing is
changed. First stop the old registry, and do not start it again. The database
may be of the other kind: this moves SQLite to PostgreSQL, and back. Backends
keep their ids. The bytes come first, each digest checked, then the database in
one transaction; at the end the log is read to its head. It may be stopped or
killed at any point: run it again with --resume.

Examples:
  $ artifactstore restore /mnt/backup/artifacts
  $ ARTIFACTSTORE_DATABASE_URL=postgresql://db.example.org/artifacts artifactstore restore /mnt/backup/artifacts`,
    )
    .action(async (directory: string, { jobs, resume = false }: RestoreCommandOptions) => {
      const given = context();
      const { config, output } = given;
      using stop = stopOnSignal();
      using progress = createProgressLine(output);
      const restoring = given.restore(config, resolve(given.directory, directory), {
        jobs,
        resume,
        signal: stop.signal,
        onProgress: ({ events, objects, bytes }, total) =>
          progress.show(() => {
            const done = `${count(objects)} of ${count(total.objects)} objects, ${formatBytes(bytes)} of ${formatBytes(total.bytes)}`;
            return `restoring: ${done}, ${count(events)} of ${count(total.events)} events`;
          }),
      });
      const restored = await orRoomHint(restoring, 'make room and run it again with --resume');
      progress.clear();
      if (output.json) output.value(restored);
      else {
        tellBad(output, { missing: restored.missing, problems: [] });
        const { sequence, chain_digest, objects, bytes, kept_objects, registry_id } = restored;
        output.line(
          `${output.colors.green('restored')} the log up to event ${sequence}, ${counted(objects, 'object')} (${formatBytes(bytes)})` +
            (kept_objects === 0 ? '' : `; ${count(kept_objects)} were there`),
        );
        output.note(`registry ${registry_id}, head ${chain_digest}`);
      }
      if (!restored.ok)
        throw incomplete({ missing: restored.missing, problems: [] }, 'run `artifactstore storage verify`, which records them');
    });
};
