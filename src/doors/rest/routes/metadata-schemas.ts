import { Type } from '#typebox';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { slugPattern } from '../../../kernel/format/text-rules.ts';
import { answers, paging } from '../parameters.ts';
import { metadataSchemaPage, metadataSchemaRecord } from '../records.ts';
import { newMetadataSchema } from '../request-bodies.ts';
import type { Api, RouteContext } from '../route.ts';

export function metadataSchemaRoutes(api: Api, context: RouteContext): void {
  api.post(
    '/metadata-schemas',
    {
      config: { access: 'write', body: 'json', jsonBytes: context.limits.largeJsonBytes, gives: ['Location'] },
      schema: {
        operationId: 'registerMetadataSchema',
        tags: ['metadata schemas'],
        summary: 'Register a schema for metadata (JSON Schema 2020-12)',
        description: 'A registered schema never changes: the same slug with the same schema is 200.',
        body: newMetadataSchema,
        response: answers({ 200: metadataSchemaRecord, 201: metadataSchemaRecord }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const { record, created } = await request.registry.metadataSchemas.register(request.body);
      return reply
        .code(created ? 201 : 200)
        .header('location', `/metadata-schemas/${encodeURIComponent(record.slug)}`)
        .send(record);
    },
  );

  api.get(
    '/metadata-schemas',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'listMetadataSchemas',
        tags: ['metadata schemas'],
        summary: 'The registered schemas',
        querystring: Type.Object(paging),
        response: answers({ 200: metadataSchemaPage }, 400),
      },
    },
    async (request) => request.registry.metadataSchemas.list(request.query),
  );

  api.get(
    '/metadata-schemas/:slug',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getMetadataSchema',
        tags: ['metadata schemas'],
        summary: 'A registered schema',
        params: Type.Object({ slug: Type.String({ pattern: slugPattern, description: 'The slug.', examples: ['build'] }) }),
        response: answers({ 200: metadataSchemaRecord }, 404),
      },
    },
    async (request) => {
      const schema = await request.registry.metadataSchemas.get(request.params.slug);
      if (schema === undefined) throw new ArtifactstoreError('metadata_schema_not_found', 'There is no such metadata schema.');
      return schema;
    },
  );
}
