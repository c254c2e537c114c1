import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Timestamp } from '../../kernel/time.ts';
import type { VerificationCounts, VerificationFailure } from '../../registry/upkeep/OPERATOR.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { counted, formatBytes } from '../terminal/size.ts';

export interface StorageVerifyOptions {
  readonly backend: string;
  readonly since?: Timestamp;
  /** Bytes a second. */
  readonly rate?: number;
  readonly jobs: number;
  readonly restart?: boolean;
  readonly acceptMissing?: boolean;
  readonly delete?: boolean;
}

/** Reads every object, and throws `integrity_failure` at the end when one is bad or missing. */
export async function verifyStorage({ config, output, openStore }: Context, options: StorageVerifyOptions): Promise<void> {
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
      const word = failure.result === 'unreadable' ? output.colors.yellow('unreadable') : output.colors.red('bad');
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
      `Backend ${backend}: ${count(failed)} bad and ${count(missing)} missing of ${counted(verification.objects, 'object')}.`,
      {
        info: { failed, missing, hint: 'push the same bytes again to repair them, or put the object back from a backup and verify again' },
      },
    );
  if (unreadable > 0)
    throw new ArtifactstoreError(
      'storage_unavailable',
      `Backend ${backend}: ${count(unreadable)} of ${counted(verification.objects, 'object')} could not be read now. That is not recorded as damage.`,
      {
        info: {
          unreadable,
          hint: 'look at the reasons above, and verify again. If the disk has lost the bytes, remove the file: then it is missing, and can be repaired',
        },
      },
    );
}

/** Bytes that no event knows: listed, and deleted when asked to. */
export async function listOrphans({ config, output, openStore }: Context, options: StorageVerifyOptions): Promise<void> {
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

function count(value: number): string {
  return value.toLocaleString('en');
}

function tell({ objects, bytes, ...counts }: VerificationCounts): string {
  return `${counted(objects, 'object')}, ${formatBytes(bytes)}, ${problems(counts)}`;
}

function problems({ failed, missing, unreadable }: Pick<VerificationCounts, 'failed' | 'missing' | 'unreadable'>): string {
  const rest = unreadable === 0 ? '' : `, ${count(unreadable)} that could not be read`;
  return `${count(failed)} bad, ${count(missing)} missing${rest}`;
}
