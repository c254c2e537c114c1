import { parseId } from '../kernel/id.ts';
import type { Health, Hold, Retention, RetentionClassRecord, RetentionRecord } from '../registry/REGISTRY.ts';
import { getJson, jsonRequest, queryText } from './request.ts';
import type { Transport } from './transport.ts';

export function remoteRetention(transport: Transport): Retention {
  const at = (id: string) => `/packages/${parseId(id, 'package_id')}/retention`;
  return {
    classes: async () => (await getJson<{ readonly items: readonly RetentionClassRecord[] }>(transport, '/retention-classes')).items,

    show: (packageId) => getJson<RetentionRecord>(transport, at(packageId)),

    extend: async (packageId, input) =>
      (await transport.exchange(jsonRequest('POST', `${at(packageId)}/extensions`, input, { repeatable: false }), (answer) =>
        answer.json(),
      )) as RetentionRecord,

    hold: async (packageId, input) =>
      (await transport.exchange(jsonRequest('POST', `${at(packageId)}/holds`, input, { repeatable: false }), (answer) =>
        answer.json(),
      )) as Hold,

    release: async (packageId, holdId, { reason } = {}) => {
      const path = `${at(packageId)}/holds/${parseId(holdId, 'hold_id')}${queryText({ reason })}`;
      return (await transport.exchange(jsonRequest('DELETE', path, undefined, { repeatable: false }), (answer) => answer.json())) as Hold;
    },
  };
}

export function remoteHealth(transport: Transport): Promise<Health> {
  return getJson<Health>(transport, '/health');
}
