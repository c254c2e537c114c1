import { openBackup } from '../../src/compose/open-backup.ts';
import type { RegistryParts } from '../../src/registry/context.ts';

/** What most registries of tests are made of, beside the parts that a test looks at. */
export function usualParts(...backendIds: readonly [string, ...string[]]): Omit<RegistryParts, 'database' | 'dataplane' | 'onIncident'> {
  return {
    defaultBackend: backendIds[0],
    routeBackend: () => backendIds[0],
    quotaOf: () => undefined,
    retentionClasses: [{ slug: 'transient', default_duration_seconds: null }],
    version: '0',
    backendIds,
    unfinalizedSeconds: 604_800,
    now: Date.now,
    uptime: () => performance.now(),
    newId: () => crypto.randomUUID(),
    openBackup,
  };
}
