import { Gauge, type Registry as MetricsRegistry } from 'prom-client';
import type { Registry } from '../../../registry/REGISTRY.ts';
import type { HealthReader } from '../health.ts';
import { createProducerGauges, producersWithQuota } from './producers.ts';
import { createUsageGauges } from './usage.ts';

/** Adds what Prometheus reads of the registry's health and use; what it gives shows all that is in `register`. */
export function showRegistry(
  register: MetricsRegistry,
  health: HealthReader,
  registry: Pick<Registry, 'usage' | 'producers'>,
): () => Promise<string> {
  const registers = [register];
  const lastSequence = new Gauge({ name: 'artifactstore_last_sequence', help: 'The last sequence of the event log.', registers });
  const failedLocations = new Gauge({
    name: 'artifactstore_failed_locations',
    help: 'Locations whose bytes were found damaged or missing.',
    labelNames: ['backend_id'],
    registers,
  });
  const healthy = new Gauge({
    name: 'artifactstore_backend_healthy',
    help: '1 while the backend answers.',
    labelNames: ['backend_id'],
    registers,
  });

  const heldObjects = new Gauge({
    name: 'artifactstore_held_objects',
    help: 'Small objects whose bytes are in the database alone, until their backend has them.',
    labelNames: ['backend_id'],
    registers,
  });
  const heldBytes = new Gauge({
    name: 'artifactstore_held_bytes',
    help: 'The bytes of these objects.',
    labelNames: ['backend_id'],
    registers,
  });

  const keysUnread = new Gauge({
    name: 'artifactstore_backend_keys_unread_seconds',
    help: 'For how long the keys of the backend cannot be read from where they are kept, while those that were read work.',
    labelNames: ['backend_id'],
    registers,
  });
  const clockInDoubt = new Gauge({
    name: 'artifactstore_clock_in_doubt',
    help: '1 while something speaks against the clock of the machine, and nothing is swept or collected.',
    registers,
  });
  const accessFileRefused = new Gauge({
    name: 'artifactstore_access_file_refused',
    help: '1 while a newer version of the access file is refused, and an older one is in force.',
    registers,
  });
  const showUsage = createUsageGauges(register);
  const showProducers = createProducerGauges(register);

  return async () => {
    const unknown = () => undefined;
    const [state, used, producers] = await Promise.all([
      health(),
      registry.usage().catch(unknown),
      producersWithQuota(registry.producers).catch(unknown),
    ]);
    if (used !== undefined) showUsage(used);
    if (producers !== undefined) showProducers(producers);
    lastSequence.set(state.last_sequence);
    clockInDoubt.set(state.clock.healthy ? 0 : 1);
    accessFileRefused.set(state.access_file?.healthy === false ? 1 : 0);
    for (const backend of state.backends) {
      failedLocations.set({ backend_id: backend.backend_id }, backend.failed_locations);
      healthy.set({ backend_id: backend.backend_id }, backend.healthy ? 1 : 0);
      keysUnread.set({ backend_id: backend.backend_id }, backend.keys_unread_seconds ?? 0);
      if (backend.held_objects !== null) heldObjects.set({ backend_id: backend.backend_id }, backend.held_objects);
      if (backend.held_bytes !== null) heldBytes.set({ backend_id: backend.backend_id }, backend.held_bytes);
    }
    return await register.metrics();
  };
}
