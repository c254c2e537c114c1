import type { MetadataSchemas } from '../registry/REGISTRY.ts';
import { created, getJson, jsonRequest, lookUp, queryText } from './wire/request.ts';
import { metadataSchemaShape, metadataSchemasShape } from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

export function remoteMetadataSchemas(transport: Transport): MetadataSchemas {
  return {
    register: (input) =>
      transport.exchange(jsonRequest('POST', '/metadata-schemas', input, { repeatable: true }), created(metadataSchemaShape)),
    get: async (slug) =>
      await lookUp(getJson(transport, `/metadata-schemas/${encodeURIComponent(slug)}`, metadataSchemaShape), 'metadata_schema_not_found'),
    list: (query = {}) => getJson(transport, `/metadata-schemas${queryText({ ...query })}`, metadataSchemasShape),
  };
}
