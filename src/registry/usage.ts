import { formatTimestamp } from '../kernel/time.ts';
import type { PackageStatus } from '../kernel/views/view.ts';
import type { RegistryParts } from './context.ts';
import { limits } from './limits.ts';
import type { CountedUsage, PackageGroup } from './operations/usage.ts';
import type { BackendUsage, Run, Usage, UsageCounts } from './REGISTRY.ts';

type Parts = Pick<RegistryParts, 'database' | 'dataplane' | 'now' | 'unfinalizedSeconds'>;

const { usageProducers: maximumProducers } = limits;
/** Counting takes at most about a tenth of the database's reading time, however many ask. */
const keptTimes = 10;

/** Counts at most once at a time for everybody who asks, and keeps what took long for ten times as long as it took. */
export function createUsage(parts: Parts): () => Promise<Usage> {
  let last: { readonly answer: Promise<Usage>; until: number } | undefined;
  return () => {
    const begun = performance.now();
    if (last !== undefined && begun < last.until) return last.answer;
    const answer = count(parts);
    const counting = { answer, until: Number.POSITIVE_INFINITY };
    last = counting;
    answer.then(
      () => {
        const ended = performance.now();
        counting.until = ended + (ended - begun) * keptTimes;
      },
      () => {
        counting.until = 0;
      },
    );
    return answer;
  };
}

async function count({ database, dataplane, now, unfinalizedSeconds }: Parts): Promise<Usage> {
  const at = now();
  const counted_at = formatTimestamp(at);
  const [counted, health] = await Promise.all([
    database.read('usage.count', { now: counted_at, unchanged_since: formatTimestamp(at - unfinalizedSeconds * 1000) }),
    dataplane.health(),
  ]);
  const { last_sequence, reclaimable_packages } = counted;
  const ids = new Set([
    ...health.keys(),
    ...[...counted.objects, ...counted.uploads, ...counted.sessions].map(({ backend_id }) => backend_id),
  ]);
  const backends = [...ids].map((id): BackendUsage => {
    const objects = counted.objects.find(({ backend_id }) => backend_id === id);
    const uploads = counted.uploads.find(({ backend_id }) => backend_id === id);
    const sessions = counted.sessions.find(({ backend_id }) => backend_id === id);
    const reclaimable = counted.reclaimable.find(({ backend_id }) => backend_id === id);
    return {
      backend_id: id,
      stored_objects: objects?.objects ?? 0,
      stored_bytes: objects?.bytes ?? 0,
      failed_objects: counted.failed.find(({ backend_id }) => backend_id === id)?.objects ?? 0,
      reclaimable_objects: reclaimable?.objects ?? 0,
      reclaimable_bytes: reclaimable?.bytes ?? 0,
      dead_objects: counted.dead.find(({ backend_id }) => backend_id === id)?.objects ?? 0,
      open_uploads: uploads?.uploads ?? 0,
      open_upload_bytes: uploads?.bytes ?? 0,
      open_write_sessions: sessions?.sessions ?? 0,
      open_write_session_bytes: sessions?.bytes ?? 0,
      free_bytes: health.get(id)?.freeBytes ?? null,
      total_bytes: health.get(id)?.totalBytes ?? null,
      last_verification: runOf(counted, 'verification', id),
    };
  });
  const kept = counted.packages.filter(({ status }) => status === 'created' || status === 'finalized');
  const producers = groupsOf(kept);
  return {
    counted_at,
    last_sequence,
    packages: {
      created: totalOf(counted.packages, 'created'),
      finalized: totalOf(counted.packages, 'finalized'),
      abandoned: totalOf(counted.packages, 'abandoned'),
      garbage_collected: totalOf(counted.packages, 'garbage_collected'),
    },
    producers: producers.slice(0, maximumProducers),
    producers_left_out: Math.max(0, producers.length - maximumProducers),
    reclaimable_packages,
    backends,
    last_sweep: runOf(counted, 'sweep'),
    last_collection: runOf(counted, 'collection'),
    last_backup: runOf(counted, 'backup'),
  };
}

/** By producer and class, the largest first. */
function groupsOf(groups: readonly PackageGroup[]): Usage['producers'] {
  const found = Map.groupBy(groups, ({ producer, retention_class }) => JSON.stringify([producer, retention_class]));
  return Array.from(found.values(), (same) => {
    const { producer, retention_class } = same[0]!;
    return { producer, retention_class, ...sum(same) };
  }).sort((left, right) => right.bytes - left.bytes || (left.producer < right.producer ? -1 : 1));
}

function totalOf(groups: readonly PackageGroup[], status: PackageStatus): UsageCounts {
  return sum(groups.filter((group) => group.status === status));
}

function sum(groups: readonly UsageCounts[]): UsageCounts {
  const total = { packages: 0, files: 0, bytes: 0 };
  for (const { packages, files, bytes } of groups) {
    total.packages += packages;
    total.files += files;
    total.bytes += bytes;
  }
  return total;
}

function runOf({ runs }: CountedUsage, kind: string, backendId = ''): Run | null {
  const run = runs.find((each) => each.kind === kind && each.backend_id === backendId);
  return run === undefined ? null : { started_at: run.started_at, finished_at: run.finished_at };
}
