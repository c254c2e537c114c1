import type { Run, Usage } from '../../registry/REGISTRY.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';
import type { Output } from '../terminal/output.ts';
import { count, counted, formatBytes } from '../terminal/size.ts';

export const usage: Definition = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Asks the server how full the registry is: packages and their bytes by status,
producer and retention class, the bytes in each backend, what a collection would
free now, the room that is left, and the last sweep, collection, verification
and backup. LOGICAL counts the bytes of each file; STORED counts equal bytes
once.

Examples:
  $ artifactstore usage
  $ artifactstore usage --json | jq '.backends[] | {backend_id, stored_bytes, free_bytes}'`,
    )
    .action(async () => {
      const given = context();
      await using registry = connect(given);
      const used = await registry.usage();
      if (given.output.json) given.output.value(used);
      else await show(given.output, used);
    });
};

async function show(output: Output, used: Usage): Promise<void> {
  const room = (bytes: number | null): string => (bytes === null ? '-' : formatBytes(bytes));
  await output.table(
    ['STATUS', 'PACKAGES', 'FILES', 'LOGICAL'],
    Object.entries(used.packages).map(([status, { packages, files, bytes }]) => [
      status,
      count(packages),
      count(files),
      formatBytes(bytes),
    ]),
  );
  output.line('');
  await output.table(
    ['BACKEND', 'OBJECTS', 'STORED', 'BAD', 'RECLAIMABLE', 'UPLOADS', 'FREE', 'DISK', 'VERIFIED'],
    used.backends.map((backend) => [
      backend.backend_id,
      count(backend.stored_objects),
      formatBytes(backend.stored_bytes),
      count(backend.failed_objects),
      formatBytes(backend.reclaimable_bytes),
      formatBytes(backend.open_upload_bytes),
      room(backend.free_bytes),
      room(backend.total_bytes),
      when(backend.last_verification),
    ]),
  );
  if (used.producers.length > 0) {
    output.line('');
    await output.table(
      ['PRODUCER', 'RETENTION CLASS', 'PACKAGES', 'FILES', 'LOGICAL'],
      used.producers.map((each) => [each.producer, each.retention_class, count(each.packages), count(each.files), formatBytes(each.bytes)]),
    );
  }
  if (used.producers_left_out > 0) output.note(`and ${count(used.producers_left_out)} more`);
  output.line('');
  output.line(`a collection would take ${counted(used.reclaimable_packages, 'package')} now`);
  output.line(`last sweep ${when(used.last_sweep)}, last collection ${when(used.last_collection)}, last backup ${when(used.last_backup)}`);
  output.note(`counted at ${used.counted_at}`);
}

function when(run: Run | null): string {
  return run === null ? '-' : run.finished_at;
}
