import { type BackupPlace, type BackupRecord, backupBackend, type IdempotencyKey, type MissingObject } from '../../backup/BACKUP.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { objectKey } from '../../kernel/content/key.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { brokenLink, chainStart, type LogHead } from '../../kernel/log/event.ts';
import { decodeEventPage } from '../../kernel/log/event-page-decoder.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { Context } from '../context.ts';
import { stageFrom } from '../objects/copy.ts';
import { storedObject } from '../objects/stored-object.ts';
import type { ObjectRow } from '../operations/objects.ts';
import { checkBackup } from './check-backup.ts';
import { type CopiedHead, chainText, madeLive } from './copied-log.ts';
import { startRun } from './note-run.ts';
import type { Backup, BackupCheck, BackupOptions } from './OPERATOR.ts';
import { createPace } from './pace.ts';

const eventsPerPage = 10_000;
const addressesPerStep = 500;
/** Addresses that wait to be copied; it bounds the memory that a long log takes. */
const waitingAddresses = 20_000;
const rowsPerPage = 1_000;
const defaultJobs = 16;
/** Of what killed runs left; another run may be writing the younger ones. */
const draftAgeSeconds = 3600;
const everyEvent = { subject_kind: null, subject_id: null, event_type: null } as const;
/** So often the log may release objects between two looks before it is an error. */
const maximumRounds = 100;

/**
 * Copies the log and every object that is live at its end. The copy is consistent at the head that it states:
 *
 * 1. The log is copied page by page until a page ends where the log ends: that is the head H. Every address that an
 *    event makes live is looked up in the views *after* that event was copied, and its bytes are copied from wherever
 *    they are live then.
 * 2. An address that is not live at its look-up was released before it. If the log has made it live again, that event
 *    comes on a later page, and the address is looked up again. So only a release that is *after H* can hide an object
 *    that is live at H.
 * 3. Look-ups that came after H was read and found nothing, or lost their object while they copied it, are counted.
 *    With none, every object that is live at H is in the copy. With some, the log is copied on to a later head, which
 *    has those releases, and step 1 is done again.
 *
 * What an earlier run copied is not copied again: keys are contents.
 */
export async function backUp(context: Context, directory: string, options: BackupOptions): Promise<Backup> {
  const { database } = context;
  const { signal } = options;
  const noteEnd = startRun(context, 'backup');
  await using opened = new AsyncDisposableStack();
  const registry = await database.read('backup.registry', {});
  const place = await context.openBackup(directory, { write: true });
  opened.defer(() => place.close());
  const earlier = await place.record();
  if (earlier !== undefined && earlier.registry.id !== registry.id) throw otherRegistry(place, earlier.registry.id, registry.id);
  await place.removeDrafts();
  const started_at = formatTimestamp(context.now());
  let head = await headOf(context, place);
  const begun: BackupRecord = {
    format: 1,
    state: 'in progress',
    registry,
    sequence: 0,
    chain_digest: chainText({ sequence: 0, chain_digest: chainStart }),
    objects: 0,
    bytes: 0,
    missing: [],
    started_at,
    finished_at: null,
  };
  if (earlier === undefined) await place.save(begun);
  await place.objects.reclaimDrafts(backupBackend, draftAgeSeconds);

  const counts = { events: 0, objects: 0, bytes: 0 };
  const missing = new Map<string, MissingObject>();
  const damaged = new Set<string>();
  const waiting = new Set<string>(earlier?.missing.map(({ content_address }) => content_address));
  const pace = createPace(options.bytesPerSecond);
  const report = () => options.onProgress?.({ ...counts });

  /** Copies what is waiting; answers how many addresses the log released meanwhile. */
  async function copyWaiting(): Promise<number> {
    const addresses = [...waiting];
    waiting.clear();
    let released = 0;
    for (let start = 0; start < addresses.length; start += addressesPerStep) {
      const some = addresses.slice(start, start + addressesPerStep);
      const rows = Map.groupBy(await database.read('backup.live', { addresses: some }), (row) => row.content_address);
      await forEachLimited(some, options.jobs ?? defaultJobs, async (address) => {
        signal?.throwIfAborted();
        const copied = await copyObject(address as ContentAddress, rows.get(address) ?? []);
        if (copied === 'released') released += 1;
        if (copied === 'released' || copied === 'there') missing.delete(address);
        report();
      });
    }
    return released;
  }

  async function copyObject(address: ContentAddress, rows: readonly ObjectRow[]): Promise<'there' | 'released' | 'missing'> {
    let copies = rows;
    for (;;) {
      const size = copies[0]?.size_bytes;
      if (size == null) return 'released';
      if (!damaged.has(address) && (await place.sizeOf(address)) === size) return 'there';
      let reason = '';
      for (const row of copies) {
        const verdict = await copyFrom(row);
        if (verdict === undefined) return 'there';
        reason = `${row.backend_id}: ${verdict}`;
      }
      // Bytes that went while they were read were released, moved or repaired: the log says which.
      const now = await database.read('backup.live', { addresses: [address] });
      if (now.every((row) => copies.some((known) => isSame(known, row)))) {
        if (now.length === 0) return 'released';
        const lost = { content_address: address, size_bytes: size, reason };
        missing.set(address, lost);
        options.onMissing?.(lost);
        return 'missing';
      }
      copies = now;
    }
  }

  /** Undefined when it is copied; else what is wrong with it there. */
  async function copyFrom(row: ObjectRow): Promise<string | undefined> {
    const source = storedObject(row);
    await pace(source.sizeBytes, signal);
    const staged = await stageFrom(context, source, backupBackend, signal, place.objects);
    if ('result' in staged) return staged.reason;
    try {
      await place.objects.publish(staged, objectKey(source.contentAddress, 0), signal);
    } finally {
      await place.objects.discard(staged);
    }
    damaged.delete(source.contentAddress);
    counts.objects += 1;
    counts.bytes += source.sizeBytes;
    return undefined;
  }

  /** Copies what the log has now; the head at which every object that is live is copied. */
  async function follow(): Promise<void> {
    for (let round = 0; round < maximumRounds; round++) {
      for (;;) {
        signal?.throwIfAborted();
        const page = await database.read('event.copy', { since: head.sequence, limit: eventsPerPage });
        if (page.item_count > 0) {
          const events = decodeEventPage(page.bytes);
          const first = head.sequence + 1;
          for (const event of events) {
            const broken = brokenLink(head, event);
            if (broken !== undefined) throw brokenLog(head, broken);
            head = event;
            for (const address of madeLive(event)) waiting.add(address);
          }
          await place.log.append(page.bytes, first, head.sequence);
          counts.events += events.length;
          report();
        }
        if (head.sequence >= page.last_sequence) break;
        if (waiting.size >= waitingAddresses) await copyWaiting();
      }
      if ((await copyWaiting()) === 0) return;
    }
    throw new ArtifactstoreError('storage_unavailable', 'Objects were deleted faster than they could be copied; run the backup again.');
  }

  // What an earlier run copied of the log, and not yet the objects of.
  const from = earlier === undefined ? 0 : earlier.sequence;
  for await (const events of place.log.read(from, head.sequence)) {
    for (const event of events) for (const address of madeLive(event)) waiting.add(address);
    if (waiting.size >= waitingAddresses) await copyWaiting();
  }
  let checked: BackupCheck;
  let end: CopiedHead;
  for (let again = true; ; again = false) {
    await follow();
    end = { sequence: head.sequence, chain_digest: chainText(head) };
    checked = await checkBackup(place, { ...end, missing: [] }, { ...options, onProgress: () => undefined });
    const found = checked.problems.filter(({ content_address }) => !missing.has(content_address));
    if (found.length === 0 || !again) break;
    // What an earlier run copied was damaged since: it is copied once more.
    for (const { content_address } of found) {
      waiting.add(content_address);
      damaged.add(content_address);
    }
  }
  await place.saveIdempotencyKeys(idempotencyKeys(context));

  // What the log gave up meanwhile is not missing.
  const lost = checked.problems.flatMap(({ content_address }) => missing.get(content_address) ?? []);
  const problems = checked.problems.filter(({ content_address }) => !missing.has(content_address));
  const record: BackupRecord = {
    ...begun,
    ...end,
    state: lost.length === 0 ? 'complete' : 'incomplete',
    objects: checked.objects,
    bytes: checked.bytes,
    missing: lost,
    finished_at: formatTimestamp(context.now()),
  };
  // With damage of its own that could not be mended, the directory stays the backup that it was.
  if (problems.length === 0) {
    await place.save(record);
    if (lost.length === 0) await noteEnd();
  }
  const { objects, bytes } = checked;
  const made = { directory: place.directory, registry_id: registry.id, ...end, objects, bytes, missing: lost };
  return { ok: problems.length + lost.length === 0, ...made, copied: counts, problems, started_at };
}

/** Where the copied log ends; throws `target_in_use` when the registry's own log says something else there. */
async function headOf(context: Context, place: BackupPlace): Promise<LogHead> {
  const sequence = await place.log.end();
  if (sequence === 0) return { sequence: 0, chain_digest: chainStart };
  let head: LogHead | undefined;
  for await (const events of place.log.read(sequence - 1, sequence)) head = events.at(-1) ?? head;
  const page = await context.database.read('event.page', { ...everyEvent, since: sequence - 1, limit: 1 });
  if (head === undefined || page.items[0]?.chain_digest !== chainText(head))
    throw new ArtifactstoreError(
      'target_in_use',
      `The backup in ${place.directory} goes to event ${sequence}, which this registry's log does not have, or has differently: an older ` +
        'database was put in place of the one that was backed up.',
      { info: { sequence, hint: 'keep that backup, and make a new one in an empty directory' } },
    );
  return head;
}

async function* idempotencyKeys(context: Context): AsyncIterable<readonly IdempotencyKey[]> {
  let after: IdempotencyKey | null = null;
  for (;;) {
    const rows: readonly IdempotencyKey[] = await context.database.read('backup.idempotency_keys', { after, limit: rowsPerPage });
    yield rows;
    if (rows.length < rowsPerPage) return;
    after = rows.at(-1)!;
  }
}

function isSame(left: ObjectRow, right: ObjectRow): boolean {
  return left.backend_id === right.backend_id && left.live_generation === right.live_generation;
}

function brokenLog(head: LogHead, what: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The event log is broken: ${what}. Nothing after it was copied.`, {
    info: { sequence: head.sequence, hint: 'run `artifactstore events verify`' },
  });
}

function otherRegistry(place: BackupPlace, theirs: string, ours: string): ArtifactstoreError {
  return new ArtifactstoreError('target_in_use', `${place.directory} holds a backup of the registry ${theirs}, and this one is ${ours}.`, {
    info: { hint: 'name another directory' },
  });
}
