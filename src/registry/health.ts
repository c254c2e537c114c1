import { snakeCase } from '../kernel/format/letter-case.ts';
import type { Context } from './context.ts';
import type { BackendHealth, Health } from './REGISTRY.ts';

const notConfigured = 'is not configured, and files lie there: configure it again, and move them to another one before it is taken away';
const heldForNobody = 'The database has the only bytes of some of them, and keeps them until then';

/** What can serve now. Never throws: what cannot be asked is unhealthy. */
export async function readHealth(context: Context): Promise<Health> {
  const [db, backends] = await Promise.all([context.database.health(), context.dataplane.health()]);
  const counts = db.healthy && db.migrated ? await context.database.read('health.count', {}).catch(() => undefined) : undefined;
  const heldFor = (backend_id: string) => {
    const held = counts?.held.find((each) => each.backend_id === backend_id);
    if (counts === undefined) return { held_objects: null, held_bytes: null };
    return { held_objects: held?.objects ?? 0, held_bytes: held?.bytes ?? 0 };
  };
  const all: BackendHealth[] = [...backends].map(([backend_id, health]) => ({
    backend_id,
    ...snakeCase(health),
    failed_locations: counts?.failed[backend_id] ?? 0,
    ...heldFor(backend_id),
  }));
  for (const backend_id of counts?.in_use ?? [])
    if (!backends.has(backend_id))
      all.push({
        backend_id,
        healthy: false,
        detail: (heldFor(backend_id).held_objects ?? 0) > 0 ? `${notConfigured}. ${heldForNobody}` : notConfigured,
        free_bytes: null,
        total_bytes: null,
        failed_locations: counts?.failed[backend_id] ?? 0,
        ...heldFor(backend_id),
      });
  // A database that does not answer would not say its time either.
  const doubt = counts === undefined ? undefined : await context.clock.doubt().catch(() => undefined);
  const good = doubt === undefined && counts !== undefined && all.every((backend) => backend.healthy && backend.failed_locations === 0);
  return {
    status: good ? 'ok' : 'degraded',
    version: context.version,
    db: { healthy: counts !== undefined, detail: db.detail },
    backend: all.find(({ backend_id }) => backend_id === context.defaultBackend)!,
    backends: all,
    last_sequence: counts?.last_sequence ?? 0,
    clock: { healthy: doubt === undefined, detail: doubt ?? (counts === undefined ? 'not compared: the database cannot be used' : 'ok') },
  };
}
