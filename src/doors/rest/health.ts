import type { Identity } from '../../identity/IDENTITY.ts';
import type { Health, ProducerRecord, Registry } from '../../registry/REGISTRY.ts';
import { producersWithQuota } from './gauges/producers.ts';

/**
 * The registry's health as of at most a second ago, and that of the access file and its issuers now; never rejects,
 * never hangs: not knowing is `degraded`.
 */
export type HealthReader = () => Promise<Health>;

const freshForMilliseconds = 1_000;
/** Many pages are read for them. */
const producersFreshForMilliseconds = 30_000;
const shownProducers = 20;
const patienceMilliseconds = 5_000;

export function createHealthReader(registry: Registry, version: string, { status }: Pick<Identity, 'status'>): HealthReader {
  let last: { readonly at: number; readonly answer: Promise<Health> } | undefined;
  const producers = readAside(producersFreshForMilliseconds, () => fullest(registry));
  return async () => {
    const now = performance.now();
    if (last === undefined || now - last.at > freshForMilliseconds) last = { at: now, answer: readHealth(registry, version) };
    const file = status();
    if (file === undefined) return await last.answer;
    const full = producers() ?? [];
    return { ...withAccessFile(await last.answer, file), ...(full.length === 0 ? {} : { producers: full }) };
  };
}

/** What was read last, undefined where that failed or was not done yet. Nobody waits for it: a probe has no time. */
function readAside<T>(milliseconds: number, read: () => Promise<T>): () => T | undefined {
  let at = Number.NEGATIVE_INFINITY;
  let known: T | undefined;
  return () => {
    const now = performance.now();
    if (now - at > milliseconds) {
      at = now;
      read().then(
        (found) => {
          known = found;
        },
        () => {
          known = undefined;
        },
      );
    }
    return known;
  };
}

async function fullest({ producers }: Registry): Promise<readonly ProducerRecord[]> {
  const found = await producersWithQuota(producers);
  return found.toSorted((left, right) => share(right) - share(left)).slice(0, shownProducers);
}

/** How full the fuller of its two quotas is; nothing is the whole of a quota of nothing. */
function share({ packages, bytes, maximum_packages, maximum_bytes }: ProducerRecord): number {
  const of = (used: number, maximum: number | null): number => (maximum === null ? 0 : maximum === 0 ? 1 : used / maximum);
  return Math.max(of(packages, maximum_packages), of(bytes, maximum_bytes));
}

function withAccessFile(health: Health, file: NonNullable<ReturnType<Identity['status']>>): Health {
  const { loaded_at, refused } = file;
  const issuers = file.issuers.map(({ failure, ...issuer }) => ({ ...issuer, healthy: failure === null, detail: failure ?? 'ok' }));
  return {
    ...health,
    status: refused === null && issuers.every(({ healthy }) => healthy) ? health.status : 'degraded',
    access_file: { healthy: refused === null, detail: refused ?? 'ok', loaded_at, issuers },
  };
}

async function readHealth(registry: Registry, version: string): Promise<Health> {
  const late = Promise.withResolvers<Health>();
  const timer = setTimeout(() => late.resolve(unknown('The registry did not answer in time.')), patienceMilliseconds);
  try {
    return await Promise.race([registry.health(), late.promise]);
  } catch {
    return unknown('The registry cannot be reached.');
  } finally {
    clearTimeout(timer);
  }

  function unknown(detail: string): Health {
    const numbers = { free_bytes: null, total_bytes: null, failed_locations: 0, held_objects: null, held_bytes: null };
    const backend = { backend_id: 'unknown', healthy: false, detail: 'unknown', ...numbers };
    return {
      status: 'degraded',
      version,
      db: { healthy: false, detail },
      backend,
      backends: [],
      last_sequence: 0,
      clock: { healthy: true, detail: 'unknown' },
    };
  }
}
