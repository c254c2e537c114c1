import type { Collection, CollectionCounts, CollectionPlan } from '../../registry/upkeep/OPERATOR.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Definition } from '../definition.ts';
import { warnOfClock } from '../terminal/clock-warning.ts';
import { incidentText } from '../terminal/incident-text.ts';
import type { Output } from '../terminal/output.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { count, counted, formatBytes } from '../terminal/size.ts';

export const retentionGc: Definition = (command, context) => {
  command
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--accept-clock', "sweep and collect although this machine's clock is in doubt")
    .addHelpText(
      'after',
      `
Works on the database and the storage directly, beside running servers, uploads
and other runs. Takes the packages that a sweep marked and that nobody holds,
abandons old packages that were never sealed, and deletes the bytes that no
package needs. It may be stopped or killed at any point: the next run finishes
the work. It refuses to work while this machine's clock is in doubt
(docs/operate/retain.md).

Examples:
  $ artifactstore retention sweep && artifactstore retention gc
  $ artifactstore retention gc --dry-run`,
    )
    .action(async ({ dryRun = false, acceptClock = false }: { readonly dryRun?: boolean; readonly acceptClock?: boolean }) => {
      const { config, output, openStore } = context();
      using stop = stopOnSignal();
      await using store = await openStore(config, {
        readOnly: dryRun,
        onIncident: (incident) => output.warn(incidentText(incident)),
      });
      if (acceptClock) store.operator.acceptClock();
      if (dryRun) {
        const clock_doubt = await warnOfClock(store.operator, output);
        const plan = await store.operator.planCollection({ signal: stop.signal });
        if (!output.json) return await showPlan(output, plan);
        return output.value({ ...plan, ...(clock_doubt === undefined ? {} : { clock_doubt }) });
      }
      using progress = createProgressLine(output);
      const onProgress = (counts: CollectionCounts) => progress.show(() => `collecting: ${tell(counts)}`);
      const collection = await store.operator.collect({ signal: stop.signal, onProgress });
      progress.clear();
      for (const { backend_id, objects } of collection.left_over)
        output.warn(`${counted(objects, 'dead object')} left in "${backend_id}", which is not configured; run again when it is`);
      if (output.json) output.value(collection);
      else await showCollection(output, collection);
    });
};

async function showCollection(output: Output, collection: Collection): Promise<void> {
  const { abandoned_package_ids, collected_package_ids, backends } = collection;
  const packages = `${counted(collected_package_ids.length, 'package')}, ${count(abandoned_package_ids.length)} abandoned`;
  output.line(`${output.colors.green('collected')} ${packages}; ${tell(collection)}`);
  const rows = backends.map((backend) => [
    backend.backend_id,
    count(backend.stored_objects),
    formatBytes(backend.stored_bytes),
    count(backend.live_objects),
    formatBytes(backend.live_bytes),
    differenceOf(backend),
  ]);
  await output.table(['BACKEND', 'STORED OBJECTS', 'STORED', 'LIVE OBJECTS', 'LIVE', 'DIFFERENCE'], rows);
}

function differenceOf({ stored_bytes, live_bytes, stored_objects, live_objects }: Collection['backends'][number]): string {
  if (stored_bytes === live_bytes && stored_objects === live_objects) return 'none';
  const more = stored_bytes - live_bytes;
  return `${formatBytes(Math.abs(more))} ${more < 0 ? 'missing' : 'more'}, ${counted(Math.abs(stored_objects - live_objects), 'object')}`;
}

async function showPlan(output: Output, plan: CollectionPlan): Promise<void> {
  for (const id of plan.abandon_package_ids) output.line(`abandon  ${id}`);
  for (const id of plan.collect_package_ids) output.line(`collect  ${id}`);
  for (const { backend_id, object_keys } of plan.delete_orphans)
    for (const key of object_keys) output.line(`delete   ${backend_id} ${key}`);
  const ended = [
    ...(plan.expire_uploads === 0 ? [] : [counted(plan.expire_uploads, 'expired upload')]),
    ...(plan.expire_write_sessions === 0 ? [] : [counted(plan.expire_write_sessions, 'expired write session')]),
  ].join(' and ');
  const expired = ended === '' ? '' : `, end ${ended}`;
  output.line(
    `would release ${counted(plan.release_locations, 'location')}${expired} and delete ${counted(plan.reclaim_drafts, 'draft')}; nothing was changed`,
  );
  if (plan.delete_objects.length === 0) return;
  const rows = plan.delete_objects.map(({ backend_id, objects, bytes }) => [backend_id, count(objects), formatBytes(bytes)]);
  await output.table(['BACKEND', 'OBJECTS TO DELETE', 'SIZE'], rows);
}

function tell({ released_locations, deleted_objects, deleted_orphans, reclaimed_drafts }: CollectionCounts): string {
  const objects = counted(deleted_objects, 'object');
  const leftovers = `${counted(deleted_orphans, 'orphan')} and ${counted(reclaimed_drafts, 'draft')}`;
  return `${counted(released_locations, 'location')} released; ${objects}, ${leftovers} deleted`;
}
