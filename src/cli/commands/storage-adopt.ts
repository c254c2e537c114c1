import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Adoption } from '../../registry/upkeep/OPERATOR.ts';
import { errnoCode } from '../../runtime/file-error.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { withHint } from '../terminal/hint.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { count, counted, formatBytes } from '../terminal/size.ts';

export interface StorageAdoptOptions {
  readonly backend: string;
  readonly confirm?: string;
  readonly dryRun?: boolean;
}

export const storageAdopt: Definition = (command, context) => {
  command
    .requiredOption('--backend <id>', 'the storage backend, such as local')
    .option('--dry-run', 'show what it would adopt, and change nothing')
    .option('--confirm <registry id>', "this registry's id: adopt the store although its content is not what the log says")
    .addHelpText(
      'after',
      `
Every store has a marker, registry.json, that says to which registry it belongs;
a registry uses no other store. This command writes the marker into a store that
has none: one of version 0.2, one that was copied without it, or an empty one
that replaces a lost store. First it lists everything there. If it finds all
objects of the log and nothing else, it writes the marker at once. Otherwise it
shows the difference and ends with exit code 4, unless --confirm repeats the
registry's id. The next collection deletes objects that the log does not know. A
store with the marker of another registry is refused.

Examples:
  $ artifactstore storage adopt --backend local --dry-run
  $ artifactstore storage adopt --backend local`,
    )
    .action(async (options: StorageAdoptOptions) => adoptStorage(context(), options));
};

async function adoptStorage({ config, output, openStore }: Context, options: StorageAdoptOptions): Promise<void> {
  const { backend, dryRun = false } = options;
  using stop = stopOnSignal();
  using progress = createProgressLine(output);
  await using store = await openStore(config, { readOnly: dryRun });
  const plan = await store.operator
    .planAdoption(backend, {
      signal: stop.signal,
      onProgress: (objects) => progress.show(() => `listing ${backend}: ${counted(objects, 'object')}`),
    })
    .catch((error: unknown) => {
      throw absentHint(error);
    });
  progress.clear();
  const asExpected = plan.found_objects === plan.live_objects && plan.unknown_objects === 0;
  const willAdopt = !plan.marked && !dryRun && (asExpected || options.confirm === plan.registry_id);
  if (willAdopt) await store.operator.adoptStorage(backend);
  if (output.json) output.value({ ...plan, as_expected: asExpected, adopted: willAdopt });
  else {
    for (const line of linesOf(plan)) output.line(line);
    if (plan.marked) output.line(`${backend} has this registry's marker already; nothing was changed`);
    else if (dryRun) output.line('nothing was changed');
    else if (willAdopt) output.line(`${output.colors.green('adopted')} ${backend}: it belongs to registry ${plan.registry_id} now`);
  }
  if (plan.marked || dryRun || willAdopt) return;
  if (options.confirm !== undefined)
    throw new ArtifactstoreError('invalid_value', `This registry is ${plan.registry_id}, not ${options.confirm}. Nothing was changed.`, {
      field: '--confirm',
    });
  throw new ArtifactstoreError(
    'target_in_use',
    `What is in "${backend}" is not what the log of registry ${plan.registry_id} says. Nothing was changed.`,
    {
      info: {
        hint:
          'look whether database and store belong together. To adopt it anyway: ' +
          `\`artifactstore storage adopt --backend ${backend} --confirm ${plan.registry_id}\``,
      },
    },
  );
}

/** It is not made by itself: an absent directory is mostly a disk that is not mounted. */
function absentHint(error: unknown): unknown {
  if (!isArtifactstoreError(error, 'storage_unavailable') || errnoCode(error.cause) !== 'ENOENT') return error;
  return withHint(error, 'mount what belongs there; if the store is to be new, make the directory first, as the user of the server', {});
}

function linesOf(plan: Adoption): readonly string[] {
  const { stored_objects, stored_bytes, live_objects, live_bytes, found_objects, unknown_objects, foreign_objects } = plan;
  return [
    `in the store    ${counted(stored_objects, 'object')}, ${formatBytes(stored_bytes)}`,
    `in the log      ${counted(live_objects, 'live object')}, ${formatBytes(live_bytes)}; ${count(found_objects)} of them lie there`,
    ...(unknown_objects === 0 ? [] : [`unknown         ${counted(unknown_objects, 'object')} that the next collection deletes`]),
    ...(foreign_objects === 0 ? [] : [`other files     ${count(foreign_objects)}, left alone`]),
  ];
}
