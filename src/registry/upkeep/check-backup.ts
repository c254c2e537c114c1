import { type BackupPlace, type BackupRecord, backupBackend } from '../../backup/BACKUP.ts';
import { objectKey } from '../../kernel/content/key.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import { readWhole } from '../objects/read-whole.ts';
import { type CopiedHead, type LiveObject, readLive } from './copied-log.ts';
import type { BackupCheck, BackupProblem, CheckBackupOptions } from './OPERATOR.ts';

/**
 * Reads a copy's log from its first event to its last, and looks whether every object that is live at its end is there
 * with its length; with `read`, reads every one of them, both digests. Those that the record calls missing are no news.
 */
export async function checkBackup(
  place: BackupPlace,
  end: CopiedHead & Pick<BackupRecord, 'missing'>,
  options: CheckBackupOptions,
): Promise<BackupCheck> {
  const { signal } = options;
  const live = await readLive(place, end, signal, (events) => options.onProgress?.({ events, objects: 0, bytes: 0 }));
  const known = new Set<string>(end.missing.map(({ content_address }) => content_address));
  const each = new Map<string, LiveObject>(live.map((object) => [object.contentAddress, object]));
  const counts = { events: end.sequence, objects: 0, bytes: 0 };
  const problems: BackupProblem[] = [];
  await forEachLimited(each.values(), options.jobs ?? defaultJobs, async (object) => {
    signal?.throwIfAborted();
    const { contentAddress, sizeBytes } = object;
    if (known.has(contentAddress)) return;
    const reason = await problemOf(place, object, options);
    if (reason === undefined) {
      counts.objects += 1;
      counts.bytes += sizeBytes;
    } else {
      const problem = { content_address: contentAddress, path: `objects/${objectKey(contentAddress, 0)}`, reason };
      problems.push(problem);
      options.onProblem?.(problem);
    }
    options.onProgress?.({ ...counts });
  });
  return { ...counts, problems };
}

/** Reads the idempotency keys of a copy that was finished; throws `integrity_failure` where a restore could not. */
export async function requireIdempotencyKeys(place: Pick<BackupPlace, 'idempotencyKeys'>): Promise<void> {
  const pages = place.idempotencyKeys()[Symbol.asyncIterator]();
  while ((await pages.next()).done !== true);
}

async function problemOf(place: BackupPlace, object: LiveObject, options: CheckBackupOptions): Promise<string | undefined> {
  const { contentAddress, sizeBytes } = object;
  if (options.read === true) {
    const copy = { ...object, backendId: backupBackend, objectKey: objectKey(contentAddress, 0) };
    const verdict = await readWhole({ dataplane: place.objects }, copy, options.signal);
    return verdict.result === 'ok' ? undefined : verdict.reason;
  }
  const size = await place.sizeOf(contentAddress);
  if (size === undefined) return 'it is not in the backup';
  return size === sizeBytes ? undefined : `it is ${size} bytes long, not ${sizeBytes}`;
}

const defaultJobs = 8;
