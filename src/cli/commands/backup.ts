import { resolve } from 'node:path';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { incomplete, orRoomHint, tellBad } from '../terminal/backup-report.ts';
import { incidentText } from '../terminal/incident-text.ts';
import { bytesPerSecond, positiveInteger } from '../terminal/numbers.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { counted, formatBytes } from '../terminal/size.ts';

export const backup: Definition = (command, context) => {
  command
    .argument('<dir>', 'the copy: a new or empty directory, or an earlier backup of this registry')
    .option('--jobs <n>', 'objects copied at once', positiveInteger, 16)
    .option('--rate <bytes>', 'copy at most this much a second, such as 50MB', bytesPerSecond)
    .option('--verify', 'read every object of the copy again at the end, those of earlier runs too')
    .addHelpText(
      'after',
      `
Works on the database and the storage directly, beside running servers, uploads
and collections, and changes no package. Copies the log and every object that is
live at its end; an earlier backup in the directory is continued, and only what
is new is copied. At the end it checks the whole copied log and that every
object is there. It may be stopped or killed at any point: run it again. Ends
with exit code 5 when something live could not be copied, and names it.

Examples:
  $ artifactstore backup /mnt/backup/artifacts
  $ artifactstore backup /mnt/backup/artifacts --rate 50MB
  $ artifactstore backup verify /mnt/backup/artifacts`,
    )
    .action(async (directory: string, options: BackupCommandOptions) => {
      await makeBackup(context(), directory, options);
    });
};

interface BackupCommandOptions {
  readonly jobs: number;
  /** Bytes a second. */
  readonly rate?: number;
  readonly verify?: boolean;
}

/**
 * Copies the registry into a directory, and throws `integrity_failure` at the end when something live is not in the
 * copy.
 */
async function makeBackup(context: Context, directory: string, options: BackupCommandOptions): Promise<void> {
  const { config, output } = context;
  using stop = stopOnSignal();
  await using store = await context.openStore(config, {
    onIncident: (incident) => output.warn(incidentText(incident)),
  });
  using progress = createProgressLine(output);
  const making = store.operator.backup(resolve(context.directory, directory), {
    jobs: options.jobs,
    read: options.verify === true,
    signal: stop.signal,
    ...(options.rate === undefined ? {} : { bytesPerSecond: options.rate }),
    onProgress: ({ events, objects, bytes }) =>
      progress.show(() => `copying: ${counted(events, 'event')}, ${counted(objects, 'object')}, ${formatBytes(bytes)}`),
  });
  const made = await orRoomHint(making, 'make room there and run it again: it resumes');
  progress.clear();
  if (output.json) output.value(made);
  else {
    tellBad(output, made);
    const { copied, sequence, chain_digest } = made;
    const head = made.ok ? output.colors.green('backed up') : 'copied';
    output.line(
      `${head} the log up to event ${sequence}, ${counted(made.objects, 'object')} (${formatBytes(made.bytes)}) to ${made.directory}`,
    );
    output.note(`new in this run: ${counted(copied.events, 'event')}, ${counted(copied.objects, 'object')} (${formatBytes(copied.bytes)})`);
    output.note(`the log's head: ${chain_digest}`);
  }
  if (!made.ok) throw incomplete(made, 'put them back or push the same bytes again, then run the backup again');
}
