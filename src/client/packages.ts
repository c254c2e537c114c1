import { parseId } from '../kernel/id.ts';
import type { Finalized, Package, Packages, Page } from '../registry/REGISTRY.ts';
import { checkManifestDigest } from './manifest-digest.ts';
import { created, getJson, jsonRequest, lookUp, queryText } from './request.ts';
import type { Transport } from './transport.ts';

export function remotePackages(transport: Transport): Packages {
  const at = (id: string) => `/packages/${parseId(id, 'package_id')}`;
  return {
    create: (input, { idempotencyKey } = {}) =>
      transport.exchange(
        jsonRequest('POST', '/packages', input, {
          repeatable: idempotencyKey !== undefined,
          ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
        }),
        created<Package>,
      ),

    get: async (id) => await lookUp(getJson<Package>(transport, at(id)), 'package_not_found'),

    list: async ({ metadata, ...query } = {}) => {
      const terms = Object.entries(metadata ?? {}).map(([key, text]) => [`metadata.${key}`, text] as const);
      return await getJson<Page<Package>>(transport, `/packages${queryText({ ...query, ...Object.fromEntries(terms) })}`);
    },

    abandon: async (id) =>
      (await transport.exchange({ method: 'DELETE', path: at(id), repeatable: true }, (answer) => answer.json())) as Package,

    finalize: async (id) =>
      (await transport.exchange(jsonRequest('POST', `${at(id)}/finalize`, {}, { repeatable: true }), (answer) =>
        answer.json(),
      )) as Finalized,

    manifest: async (id) => {
      const path = `${at(id)}/manifest`;
      const request = { method: 'GET', path, headers: { accept: 'application/cbor' }, repeatable: true } as const;
      const sealed = transport.exchange(request, async (answer) => ({
        digest: String(answer.headers.etag ?? '').replace(/^"|"$/g, ''),
        bytes: await answer.bytes(),
      }));
      const found = await lookUp(sealed, 'package_not_finalized');
      if (found !== undefined) checkManifestDigest(found);
      return found;
    },
  };
}
