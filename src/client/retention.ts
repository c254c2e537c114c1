import { parseId } from '../kernel/id.ts';
import type { Health, Retention } from '../registry/REGISTRY.ts';
import { getJson, jsonRequest, queryText } from './wire/request.ts';
import { healthShape, holdShape, packagesShape, retentionClassesShape, retentionShape } from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

export function remoteRetention(transport: Transport): Retention {
  const at = (id: string) => `/packages/${parseId(id, 'package_id')}/retention`;
  return {
    classes: async () => (await getJson(transport, '/retention-classes', retentionClassesShape)).items,

    show: (packageId) => getJson(transport, at(packageId), retentionShape),

    expiring: (query = {}) => getJson(transport, `/expiring-packages${queryText({ ...query })}`, packagesShape),

    extend: async (packageId, input) =>
      await transport.exchange(jsonRequest('POST', `${at(packageId)}/extensions`, input, { repeatable: false }), (answer) =>
        answer.json(retentionShape),
      ),

    hold: async (packageId, input) =>
      await transport.exchange(jsonRequest('POST', `${at(packageId)}/holds`, input, { repeatable: false }), (answer) =>
        answer.json(holdShape),
      ),

    release: async (packageId, holdId, { reason } = {}) => {
      const path = `${at(packageId)}/holds/${parseId(holdId, 'hold_id')}${queryText({ reason })}`;
      return await transport.exchange(jsonRequest('DELETE', path, undefined, { repeatable: false }), (answer) => answer.json(holdShape));
    },
  };
}

export function remoteHealth(transport: Transport): Promise<Health> {
  return getJson(transport, '/health', healthShape);
}
