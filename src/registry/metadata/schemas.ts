import { ArtifactstoreError } from '../../kernel/error.ts';
import { checkJson, type JsonObject } from '../../kernel/format/json.ts';
import type { Access } from '../access.ts';
import type { Context } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { checkLimit, checkSlug, isSlug } from '../input.ts';
import type { MetadataSchemas } from '../REGISTRY.ts';

const list = ['metadata_schemas'];

export function createMetadataSchemas(context: Context, access: Access): MetadataSchemas {
  const { database } = context;
  const { actor } = access;
  return {
    async register(input) {
      const slug = checkSlug(input.slug, 'slug');
      access.requireSchema(slug);
      const json_schema = checkJson(input.json_schema, '/json_schema');
      if (json_schema === null || typeof json_schema !== 'object' || Array.isArray(json_schema))
        throw new ArtifactstoreError('invalid_metadata_schema', 'A metadata schema must be a JSON object.', { field: '/json_schema' });
      await context.validator.checkSchema(actor, json_schema as JsonObject);
      return await database.write('metadata_schema.register', { actor, slug, json_schema: json_schema as JsonObject });
    },
    async get(slug) {
      return isSlug(slug) ? await database.read('metadata_schema.get', { slug }) : undefined;
    },
    async list(query = {}) {
      const limit = checkLimit(query);
      const { items, more } = await database.read('metadata_schema.list', {
        limit,
        after: decodeCursor(list, query.cursor, 'sequence'),
      });
      return {
        items: items.map(({ record }) => record),
        next_cursor: more ? encodeCursor(list, items.at(-1)!.sequence) : null,
      };
    },
  };
}
