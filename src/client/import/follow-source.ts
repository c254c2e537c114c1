import { setTimeout as sleep } from 'node:timers/promises';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { idPattern } from '../../kernel/id.ts';
import type { Imported, Importer } from './import-packages.ts';
import type { Source } from './source.ts';

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** How long the source holds a question that it has no event for, in seconds. */
  readonly waitSeconds?: number;
  /** When what failed is tried again, in seconds. */
  readonly againSeconds?: number;
  /** Told of each run over everything: the first, and one after a log that is not the one before. */
  onImported(imported: Imported): void;
  /** Told why another run over everything is made. */
  onAgain?(reason: string): void;
}

/**
 * Keeps a mirror: copies everything, and then what the source's log says, until it is stopped. The place in the log is
 * asked for before the first run, so that nothing falls between. It is kept nowhere: who begins again begins with
 * everything, and finds what is there. What failed is tried again from time to time. Throws what ends it.
 */
export async function followSource(source: Source, importer: Importer, options: FollowOptions): Promise<void> {
  const { signal, waitSeconds = 30, againSeconds = 60, onImported, onAgain } = options;
  const failed = new Set<string>();
  let position = await everything();
  let triedAt = performance.now();
  /** Longer each time that it was of no use. */
  let wait = againSeconds;

  for (;;) {
    const askedAt = performance.now();
    const page = await source.events(position, {
      waitSeconds: failed.size === 0 ? waitSeconds : Math.min(waitSeconds, againSeconds),
      signal,
    });
    if (page.last_sequence < position) {
      onAgain?.(`the log of the source ends at ${page.last_sequence}, and was read up to ${position}: it is another one`);
      failed.clear();
      await pause(Math.min(emptySeconds, againSeconds));
      position = await everything();
      continue;
    }
    const ids = new Set(page.items.filter(({ event_type }) => told.has(event_type)).map(({ subject_id }) => subject_id));
    const isTime = failed.size > 0 && performance.now() - triedAt >= wait * 1000;
    if (isTime) for (const id of failed) ids.add(id);
    const legal = [...ids].filter((id) => isId.test(id));
    const again = new Set(await importer.these(legal));
    const before = failed.size;
    for (const id of legal) if (!again.has(id)) failed.delete(id);
    const left = failed.size;
    for (const id of again) failed.add(id);
    if (isTime) triedAt = performance.now();
    if (left < before || failed.size > left) wait = againSeconds;
    else if (isTime) wait = Math.min(wait * 2, longestWaitSeconds);
    position = page.next_since;
    if (failed.size > mostFailed) {
      onAgain?.(`${failed.size} packages could not be copied`);
      failed.clear();
      await pause(againSeconds);
      position = await everything();
    } else if (page.items.length === 0 && performance.now() - askedAt < 1000) await pause(Math.min(emptySeconds, againSeconds));
  }

  async function everything(): Promise<number> {
    const { last_sequence } = await source.events(0, { waitSeconds: 0, limit: 1, signal });
    const imported = await importer.all();
    onImported(imported);
    if (imported.failure !== undefined) throw imported.failure;
    for (const { source_package_id } of imported.report.problems) failed.add(source_package_id);
    return last_sequence;
  }

  async function pause(seconds: number): Promise<void> {
    try {
      await sleep(seconds * 1000, undefined, { signal });
    } catch (error) {
      throw isArtifactstoreError(signal.reason) ? signal.reason : error;
    }
  }
}

/** After these a package is copied, or its retention is. What was collected at the source stays in the mirror. */
const told: ReadonlySet<string> = new Set([
  'v1.package.finalized',
  'v1.retention.extended',
  'v1.retention.hold_applied',
  'v1.retention.hold_released',
]);

const isId = new RegExp(idPattern);
/** A source that does not wait is not asked without end. */
const emptySeconds = 5;
const longestWaitSeconds = 3600;
const mostFailed = 10_000;
