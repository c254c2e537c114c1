import { resolve } from 'node:path';
import { pullPackage } from '../../client/pull/pull-package.ts';
import { type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import { giveBackMemory } from '../../runtime/heap.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { connect, longPatienceSeconds } from '../connect.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { optionNames } from '../option-names.ts';
import { withHint } from '../terminal/hint.ts';
import { positiveInteger } from '../terminal/numbers.ts';
import { createProgress } from '../terminal/progress.ts';
import { countFiles, formatBytes } from '../terminal/size.ts';

interface PullCommandOptions {
  readonly force?: boolean;
  /** False for `--no-manifest`; absent for the place beside the directory. */
  readonly manifest?: string | false;
  readonly jobs: number;
}

export const pull: Definition = (command, context) => {
  command
    .argument('<package_id>', 'a sealed package')
    .argument('<dir>', 'where its files go; made when it is not there')
    .option('--force', 'take a directory that is not empty, as after a pull that was stopped: wrong files are replaced, others stay')
    .option('--manifest <file>', 'save the manifest here: as JSON when the name ends in .json, else as canonical CBOR')
    .option('--no-manifest', 'do not save the manifest; without both it is saved beside the directory, as <dir>.manifest.cbor')
    .option('--jobs <n>', 'requests at once', positiveInteger, 8)
    .addHelpText(
      'after',
      `
Every file is checked against the manifest before it gets its name; executable
files become executable again. A pull that was stopped is resumed with --force.

Examples:
  $ artifactstore pull 0198c0de-5a1e-7000-8000-000000000001 ./results
  $ artifactstore pull 0198c0de-5a1e-7000-8000-000000000001 ./results --force --manifest results.manifest.cbor`,
    )
    .action(async (packageId: string, directory: string, options: PullCommandOptions) => {
      await pullInto(context(), packageId, directory, options);
    });
};

async function pullInto(context: Context, packageId: string, directory: string, options: PullCommandOptions): Promise<void> {
  const { output } = context;
  const { force = false, manifest, jobs } = options;
  using stop = stopOnSignal();
  const endGivingBack = giveBackMemory(largeHeapBytes);
  await using registry = connect(context, { patienceSeconds: longPatienceSeconds });
  const progress = await createProgress(output, 'pulling');
  const pulled = await pullPackage(registry, packageId, resolve(context.directory, directory), {
    jobs,
    force,
    ...(manifest === undefined ? {} : { manifest: manifest === false ? manifest : resolve(context.directory, manifest) }),
    signal: stop.signal,
    names: optionNames,
    shownDirectory: directory,
    onTotal: progress.grow,
    onDone: progress.advance,
    onNote: (text) => output.note(`note: ${text}`),
    onWarning: (text) => output.warn(`warning: ${text}`),
    onFailed: () => registry.close(),
  })
    .catch((error: unknown) => {
      throw withState(error, directory);
    })
    .finally(() => {
      endGivingBack();
      progress.stop();
    });
  if (output.json) return output.value(pulled);
  const kept = pulled.file_count - pulled.written_files;
  output.line(`${output.colors.green('pulled')} ${countFiles(pulled.file_count)}, ${formatBytes(pulled.total_bytes)}, into ${directory}`);
  if (kept > 0) output.line(`  ${countFiles(kept)} of them were there already`);
  output.line(`  manifest ${pulled.manifest_digest}${pulled.manifest_file === null ? '' : `, saved as ${pulled.manifest_file}`}`);
}

/** A long manifest is read at once, and leaves as much behind as it is. */
const largeHeapBytes = 41_943_040;

/** What the directory is by now, and what to do, beside what went wrong. */
function withState(error: unknown, directory: string): unknown {
  if (!isArtifactstoreError(error)) return error;
  const { right_files: right, file_count: all } = error.info ?? {};
  if (typeof right !== 'number' || typeof all !== 'number') return error;
  const state = `"${directory}" holds ${right.toLocaleString('en')} of ${countFiles(all)} by now, each of them whole`;
  const next = againCodes.has(error.code) ? '; run the same command with --force to bring the rest' : '';
  return withHint(error, `${state}${next}`);
}

/** Where the same command can bring the rest, once what the message says is mended. */
const againCodes: ReadonlySet<ErrorCode> = new Set([
  'storage_full',
  'local_file_failed',
  'server_unreachable',
  'storage_unavailable',
  'database_unavailable',
  'cancelled',
]);
