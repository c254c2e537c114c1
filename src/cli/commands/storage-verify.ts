import { Option } from 'commander';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Timestamp } from '../../kernel/time.ts';
import type { VerificationCounts, VerificationFailure } from '../../registry/upkeep/OPERATOR.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { bytesPerSecond, positiveInteger, timeOrAge } from '../terminal/numbers.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { count, counted, formatBytes } from '../terminal/size.ts';

export const storageVerify: Definition = (command, context) => {
  const notWithOrphans = ['orphans', 'delete'];
  command
    .requiredOption('--backend <id>', 'the storage backend, such as local')
    .addOption(
      new Option('--since <time>', 'skip what was verified at this time (RFC 3339) or later; 7d is a week ago')
        .argParser((text) => timeOrAge(text))
        .conflicts(notWithOrphans),
    )
    .addOption(
      new Option('--rate <bytes>', 'read at most this much a second, such as 50MB').argParser(bytesPerSecond).conflicts(notWithOrphans),
    )
    .addOption(new Option('--jobs <n>', 'objects read at once').argParser(positiveInteger).default(2).conflicts(notWithOrphans))
    .addOption(new Option('--restart', 'start at the beginning, not where a stopped run was').conflicts(notWithOrphans))
    .addOption(
      new Option('--accept-missing', 'record objects as missing although not one of the first 100 is there').conflicts(notWithOrphans),
    )
    .option('--orphans', 'instead: list bytes in the backend that no event knows')
    .option('--delete', 'with --orphans: delete them')
    .addHelpText(
      'after',
      `
Works on the database and the storage directly, beside running servers. Reads
every object from end to end, checks both digests and records what it finds:
what is damaged or missing shows in /health and is never served, what is good
again is cleared. Ends with exit code 5 when anything is damaged or missing. An
object that cannot be read now, for example without permission, is neither: it
is reported, not recorded, and the exit code is 6. The exit code is also 6, with
nothing recorded, when the store itself is in doubt, or when not one of the
first 100 objects is there. A run that was stopped resumes where it was.

Examples:
  $ artifactstore storage verify --backend local
  $ artifactstore storage verify --backend local --since 7d --rate 50MB
  $ artifactstore storage verify --backend local --orphans --delete`,
    )
    .action(async (options: StorageVerifyOptions & { readonly orphans?: boolean }) => {
      if (options.delete === true && options.orphans !== true) command.error("error: option '--delete' goes with '--orphans' only");
      await (options.orphans === true ? listOrphans : verifyStorage)(context(), options);
    });
};

interface StorageVerifyOptions {
  readonly backend: string;
  readonly since?: Timestamp;
  /** Bytes a second. */
  readonly rate?: number;
  readonly jobs: number;
  readonly restart?: boolean;
  readonly acceptMissing?: boolean;
  readonly delete?: boolean;
}

/** Reads every object, and throws `integrity_failure` at the end when one is damaged or missing. */
async function verifyStorage({ config, output, openStore }: Context, options: StorageVerifyOptions): Promise<void> {
  const { backend, since, rate, jobs, restart = false, acceptMissing = false } = options;
  using stop = stopOnSignal();
  await using store = await openStore(config, {});
  const failures: VerificationFailure[] = [];
  using progress = createProgressLine(output);
  const verification = await store.operator.verifyStorage(backend, {
    jobs,
    restart,
    acceptMissing,
    signal: stop.signal,
    ...(since === undefined ? {} : { notVerifiedSince: since }),
    ...(rate === undefined ? {} : { bytesPerSecond: rate }),
    onProgress: (counts, live) =>
      progress.show(() => {
        const { objects, bytes, failed, missing, unreadable } = counts;
        const done = since === undefined ? `${count(objects)} of ${count(live.objects)}` : count(objects);
        const read = since === undefined ? `${formatBytes(bytes)} of ${formatBytes(live.bytes)}` : formatBytes(bytes);
        return `verifying ${backend}: ${done} objects, ${read}, ${problems({ failed, missing, unreadable })}`;
      }),
    onFailure: (failure) => {
      if (output.json) return void failures.push(failure);
      progress.clear();
      const word = failure.result === 'unreadable' ? output.colors.yellow('unreadable') : output.colors.red('damaged');
      output.line(`${word}  ${failure.object_key}  ${failure.reason}`);
    },
  });
  progress.clear();
  const { failed, missing, unreadable, cleared, resumed, started_at } = verification;
  const ok = failed + missing + unreadable === 0;
  if (output.json) output.value({ ok, ...verification, failures });
  else {
    if (resumed) output.note(`this resumed the run of ${started_at}, and counts both`);
    const again = cleared === 0 ? '' : `; ${count(cleared)} that had failed are good again`;
    output.line(`${ok ? output.colors.green('verified') : 'read'} ${backend}: ${tell(verification)}${again}`);
  }
  if (failed + missing > 0)
    throw new ArtifactstoreError(
      'integrity_failure',
      `Backend ${backend}: ${count(failed)} damaged and ${count(missing)} missing of ${counted(verification.objects, 'object')}.`,
      {
        info: { failed, missing, hint: 'push the same bytes again to repair them, or put the object back from a backup and verify again' },
      },
    );
  if (unreadable > 0)
    throw new ArtifactstoreError(
      'storage_unavailable',
      `Backend ${backend}: ${count(unreadable)} of ${counted(verification.objects, 'object')} ` +
        'could not be read now. That is not recorded as damage.',
      {
        info: {
          unreadable,
          hint:
            'look at the reasons above, and verify again. If the disk has lost ' +
            'the bytes, remove the file: then it is missing, and can be repaired',
        },
      },
    );
}

/** Bytes that no event knows: listed, and deleted when asked to. */
async function listOrphans({ config, output, openStore }: Context, options: StorageVerifyOptions): Promise<void> {
  using stop = stopOnSignal();
  await using store = await openStore(config, { readOnly: options.delete !== true });
  const report = await store.operator.findOrphans(options.backend, { delete: options.delete === true, signal: stop.signal });
  if (output.json) return output.value(report);
  for (const key of report.orphan_keys) output.line(key);
  const found = `${counted(report.orphan_keys.length, 'orphan')}, ${count(report.deleted_orphans)} deleted`;
  const stored = `${counted(report.stored_objects, 'object')} (${formatBytes(report.stored_bytes)})`;
  const live = `${count(report.live_objects)} (${formatBytes(report.live_bytes)})`;
  output.note(`${found}; ${stored} lie there, ${live} of the log's are live`);
}

function tell({ objects, bytes, ...counts }: VerificationCounts): string {
  return `${counted(objects, 'object')}, ${formatBytes(bytes)}, ${problems(counts)}`;
}

function problems({ failed, missing, unreadable }: Pick<VerificationCounts, 'failed' | 'missing' | 'unreadable'>): string {
  const rest = unreadable === 0 ? '' : `, ${count(unreadable)} that could not be read`;
  return `${count(failed)} damaged, ${count(missing)} missing${rest}`;
}
