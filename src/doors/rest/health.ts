import type { Identity } from '../../identity/IDENTITY.ts';
import type { Health, Registry } from '../../registry/REGISTRY.ts';

/**
 * The registry's health as of at most a second ago, and that of the access file and its issuers now; never rejects,
 * never hangs: not knowing is `degraded`.
 */
export type HealthReader = () => Promise<Health>;

const freshForMilliseconds = 1_000;
const patienceMilliseconds = 5_000;

export function createHealthReader(registry: Registry, version: string, { status }: Pick<Identity, 'status'>): HealthReader {
  let last: { readonly at: number; readonly answer: Promise<Health> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > freshForMilliseconds) last = { at: now, answer: readHealth(registry, version) };
    return last.answer.then((health) => withAccessFile(health, status()));
  };
}

function withAccessFile(health: Health, file: ReturnType<Identity['status']>): Health {
  if (file === undefined) return health;
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
