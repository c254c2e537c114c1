import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Opened, refuses, samples, unique } from './samples.ts';

export function metadataSchemasConformance(opened: Opened): void {
  const { registry, create } = samples(opened);
  describe('metadata schemas', () => {
    it('holds metadata to its schema, which never changes', async () => {
      const slug = unique('schema').replaceAll(' ', '-');
      const json_schema = {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        required: ['run_id'],
        properties: { run_id: { type: 'string', minLength: 3 }, at: { type: 'string', format: 'date-time' } },
      };
      const first = await registry().metadataSchemas.register({ slug, json_schema });
      assert.equal(first.created, true);
      assert.deepEqual(await registry().metadataSchemas.register({ slug, json_schema }), { record: first.record, created: false });
      await refuses('metadata_schema_conflict', registry().metadataSchemas.register({ slug, json_schema: { type: 'object' } }));
      assert.deepEqual(await registry().metadataSchemas.get(slug), first.record);
      assert.equal(await registry().metadataSchemas.get(`${slug}-none`), undefined);
      assert.equal(await registry().metadataSchemas.get('\u0000'), undefined);
      assert.ok((await registry().metadataSchemas.list({ limit: 1000 })).items.some((schema) => schema.slug === slug));
      await create({ metadata_schema_slug: slug, metadata: { run_id: 'abc' } });
      await refuses('metadata_mismatch', create({ metadata_schema_slug: slug, metadata: {} }));
      await refuses('metadata_mismatch', create({ metadata_schema_slug: slug, metadata: { run_id: 'abc', at: 'yesterday' } }));
      await refuses(
        'invalid_metadata_schema',
        registry().metadataSchemas.register({ slug: `${slug}-bad`, json_schema: { type: 'no such type' } }),
      );
    });
  });
}
