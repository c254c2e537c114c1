import type { Health, Retention, RetentionClassRecord } from '../registry/REGISTRY.ts';
import { getJson } from './request.ts';
import type { Transport } from './transport.ts';

export function remoteRetention(transport: Transport): Retention {
  return {
    classes: async () => (await getJson<{ readonly items: readonly RetentionClassRecord[] }>(transport, '/retention-classes')).items,
  };
}

export function remoteHealth(transport: Transport): Promise<Health> {
  return getJson<Health>(transport, '/health');
}
