import type { Health, Registry } from '../../registry/REGISTRY.ts';

/** The registry's health as of at most a second ago; never rejects, never hangs: not knowing is `degraded`. */
export type HealthReader = () => Promise<Health>;

const freshForMilliseconds = 1_000;
const patienceMilliseconds = 5_000;

export function createHealthReader(registry: Registry, version: string): HealthReader {
  let last: { readonly at: number; readonly answer: Promise<Health> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > freshForMilliseconds) last = { at: now, answer: readHealth(registry, version) };
    return last.answer;
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
    const backend = { backend_id: 'unknown', healthy: false, detail: 'unknown', free_bytes: null, total_bytes: null, failed_locations: 0 };
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
