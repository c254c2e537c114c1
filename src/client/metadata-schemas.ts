import type { MetadataSchema, MetadataSchemas, Page } from '../registry/REGISTRY.ts';
import { created, getJson, jsonRequest, lookUp, queryText } from './request.ts';
import type { Transport } from './transport.ts';

export function remoteMetadataSchemas(transport: Transport): MetadataSchemas {
  return {
    register: (input) => transport.exchange(jsonRequest('POST', '/metadata-schemas', input, { repeatable: true }), created<MetadataSchema>),
    get: async (slug) =>
      await lookUp(getJson<MetadataSchema>(transport, `/metadata-schemas/${encodeURIComponent(slug)}`), 'metadata_schema_not_found'),
    list: (query = {}) => getJson<Page<MetadataSchema>>(transport, `/metadata-schemas${queryText({ ...query })}`),
  };
}
