import { ArtifactstoreError } from '../../kernel/error.ts';
import type { MoveFailure, MoveTarget } from '../../registry/upkeep/OPERATOR.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { incidentText } from '../terminal/incident-text.ts';
import { bytesPerSecond, positiveInteger } from '../terminal/numbers.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { count, counted, formatBytes } from '../terminal/size.ts';

export const storageMove: Definition = (command, context) => {
  command
    .requiredOption('--from <id>', 'the storage backend to move from, such as local')
    .requiredOption('--to <id>', 'the one to move to')
    .option('--producer <name>', 'only packages of this producer')
    .option('--retention-class <slug>', 'only packages of this class')
    .option('--package <id>', 'only this package')
    .option('--jobs <n>', 'objects copied at once', positiveInteger, 4)
    .option('--rate <bytes>', 'copy at most this much a second, such as 50MB', bytesPerSecond)
    .option('--dry-run', 'say what would be moved, and change nothing')
    .addHelpText(
      'after',
      `
Works on the database and the storage directly, beside running servers, uploads
and collections. Copies the bytes, reads them back, then records the new place,
releases the old one and deletes what nobody needs there. Manifests do not
change, and files can be read all the time. Ends with exit code 5 when something
could not be moved because it is damaged or missing. It may be stopped or killed
at any point: run it again, and it resumes. New files go where the configuration
says, so change that first.

Examples:
  $ artifactstore storage move --from local --to s3 --dry-run
  $ artifactstore storage move --from local --to s3 --rate 50MB
  $ artifactstore storage move --from local --to s3 --retention-class release-evidence`,
    )
    .action(async (options: StorageMoveOptions) => {
      await (options.dryRun === true ? planMove : move)(context(), options);
    });
};

interface StorageMoveOptions {
  readonly from: string;
  readonly to: string;
  readonly producer?: string;
  readonly retentionClass?: string;
  readonly package?: string;
  readonly jobs: number;
  /** Bytes a second. */
  readonly rate?: number;
  readonly dryRun?: boolean;
}

/**
 * Moves files to another backend, and throws `integrity_failure` at the end when some could not be moved for what they
 * are.
 */
async function move({ config, output, openStore }: Context, options: StorageMoveOptions): Promise<void> {
  const { from, to, jobs, rate } = options;
  using stop = stopOnSignal();
  await using store = await openStore(config, {
    // Damage is among the failures already.
    onIncident: (incident) => {
      if (incident.kind !== 'object_damaged') output.warn(incidentText(incident));
    },
  });
  const failures: MoveFailure[] = [];
  using progress = createProgressLine(output);
  const moved = await store.operator.move({
    ...targetOf(options),
    jobs,
    signal: stop.signal,
    ...(rate === undefined ? {} : { bytesPerSecond: rate }),
    onProgress: ({ objects, bytes, failed, missing, unreadable }, total) =>
      progress.show(() => {
        const done = `${count(objects)} of ${count(total.objects)} objects, ${formatBytes(bytes)} of ${formatBytes(total.bytes)}`;
        return `moving ${from} to ${to}: ${done}, ${count(failed)} damaged, ${count(missing + unreadable)} missing or unreadable`;
      }),
    onFailure: (failure) => {
      if (output.json) return void failures.push(failure);
      progress.clear();
      output.line(`${output.colors.red('damaged')}  ${failure.backend_id}  ${failure.object_key}  ${failure.reason}`);
    },
  });
  progress.clear();
  const { objects, bytes, locations, deleted_objects, failed, missing, unreadable, left_objects, left_bytes } = moved;
  const ok = failed + missing + unreadable === 0;
  if (output.json) output.value({ ok, ...moved, failures });
  else {
    output.line(`${output.colors.green('moved')} ${from} to ${to}`);
    await output.table(
      [
        'OBJECTS',
        'SIZE',
        'FILES',
        `DELETED IN ${from}`,
        'BAD',
        'MISSING',
        ...(unreadable === 0 ? [] : ['UNREADABLE']),
        'LEFT',
        'LEFT SIZE',
      ],
      [
        [
          count(objects),
          formatBytes(bytes),
          count(locations),
          count(deleted_objects),
          count(failed),
          count(missing),
          ...(unreadable === 0 ? [] : [count(unreadable)]),
          count(left_objects),
          formatBytes(left_bytes),
        ],
      ],
    );
    if (left_objects > failed + missing + unreadable) output.note('files came meanwhile: run it again when new ones go elsewhere');
  }
  if (failed + missing > 0)
    throw new ArtifactstoreError(
      'integrity_failure',
      `${counted(failed + missing, 'object')} could not be moved from ` +
        `${from} to ${to}: ${count(failed)} damaged, ${count(missing)} missing.`,
      {
        info: { failed, missing, hint: 'push the same bytes again, or put the objects back from a backup, and run it again' },
      },
    );
  if (unreadable > 0)
    throw new ArtifactstoreError(
      'storage_unavailable',
      `${counted(unreadable, 'object')} could not be read now. Nothing unread was moved.`,
      {
        info: { unreadable, hint: 'look at the reasons above, and run it again' },
      },
    );
}

/** What would be moved. */
async function planMove({ config, output, openStore }: Context, options: StorageMoveOptions): Promise<void> {
  await using store = await openStore(config, { readOnly: true });
  const plan = await store.operator.planMove(targetOf(options));
  if (output.json) return output.value(plan);
  output.line(`would move ${plan.from} to ${plan.to}; nothing was changed`);
  await output.table(
    ['OBJECTS', 'SIZE', 'FILES', 'TO COPY', 'COPY SIZE', `TO DELETE IN ${plan.from}`, 'DELETE SIZE'],
    [
      [
        count(plan.objects),
        formatBytes(plan.bytes),
        count(plan.locations),
        count(plan.copy_objects),
        formatBytes(plan.copy_bytes),
        count(plan.delete_objects),
        formatBytes(plan.delete_bytes),
      ],
    ],
  );
}

function targetOf({ from, to, producer, retentionClass, package: packageId }: StorageMoveOptions): MoveTarget {
  return {
    from,
    to,
    ...(producer === undefined ? {} : { producer }),
    ...(retentionClass === undefined ? {} : { retentionClass }),
    ...(packageId === undefined ? {} : { packageId }),
  };
}
