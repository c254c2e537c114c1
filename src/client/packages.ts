import { encodePage } from '../kernel/format/encoded-page.ts';
import { checkIdempotencyKey } from '../kernel/format/idempotency-key.ts';
import { parseId } from '../kernel/id.ts';
import type { Packages } from '../registry/REGISTRY.ts';
import { checkManifestDigest } from './manifest-digest.ts';
import { created, getJson, jsonRequest, lookUp, queryText } from './wire/request.ts';
import { finalizedShape, packageShape, packagesShape } from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

export function remotePackages(transport: Transport): Packages {
  const at = (id: string) => `/packages/${parseId(id, 'package_id')}`;
  const list: Packages['list'] = async ({ metadata, ...query } = {}) => {
    const terms = Object.entries(metadata ?? {}).map(([key, text]) => [`metadata.${key}`, text] as const);
    return await getJson(transport, `/packages${queryText({ ...query, ...Object.fromEntries(terms) })}`, packagesShape);
  };
  return {
    list,
    encodedList: async (query) => encodePage(await list(query)),

    create: async (input, { idempotencyKey } = {}) =>
      await transport.exchange(
        jsonRequest('POST', '/packages', input, {
          repeatable: idempotencyKey !== undefined,
          ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': checkIdempotencyKey(idempotencyKey) } }),
        }),
        created(packageShape),
      ),

    get: async (id) => await lookUp(getJson(transport, at(id), packageShape), 'package_not_found'),

    abandon: async (id) =>
      await transport.exchange({ method: 'DELETE', path: at(id), repeatable: true }, (answer) => answer.json(packageShape)),

    finalize: async (id, expected = {}) =>
      await transport.exchange(jsonRequest('POST', `${at(id)}/finalize`, expected, { repeatable: true }), (answer) =>
        answer.json(finalizedShape),
      ),

    manifest: async (id) => {
      const path = `${at(id)}/manifest`;
      const request = { method: 'GET', path, headers: { accept: 'application/cbor' }, repeatable: true } as const;
      const sealed = await transport.exchange(request, async (answer) => {
        const digest = /^(?:W\/)?"(blake3:[0-9a-f]{64})"$/.exec(String(answer.headers.etag))?.[1];
        if (digest === undefined) throw await answer.unexpected("it has no ETag with the manifest's digest");
        return { digest, bytes: await answer.cborBytes() };
      });
      checkManifestDigest(sealed);
      return sealed;
    },
  };
}
