import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetadataValidator } from '../../src/registry/metadata-validation.ts';

describe('metadata against its schema', () => {
  const validator = createMetadataValidator();

  it('is checked by the rules of JSON Schema 2020-12', () => {
    const schema = {
      $id: 'https://example.org/shared',
      type: 'object',
      required: ['n'],
      properties: { n: { type: 'integer' }, when: { type: 'string', format: 'date' }, pair: { prefixItems: [{ type: 'string' }] } },
      unevaluatedProperties: false,
    };
    validator.validate('first', schema, { n: 1, when: '2026-01-31', pair: ['x', 1] });
    for (const [field, metadata] of [
      ['/metadata', {}],
      ['/metadata/n', { n: 1.5 }],
      ['/metadata/when', { n: 1, when: '2026-02-30' }],
      ['/metadata/pair/0', { n: 1, pair: [1] }],
      ['/metadata', { n: 1, other: true }],
    ] as const)
      assert.throws(() => validator.validate('first', schema, metadata), { code: 'metadata_mismatch', field });
    // The same $id in another schema neither collides with it nor sees it.
    validator.validate('second', { ...schema, required: [] }, {});
  });

  it('refuses what is not a schema that can be used', () => {
    for (const bad of [
      { type: 'nothing' },
      { $ref: 'https://example.org/elsewhere' },
      { $async: true, type: 'object' },
      { properties: 1 },
      { pattern: '(' },
      { description: 'x'.repeat(1_100_000) },
    ])
      assert.throws(() => validator.checkSchema(bad), { code: 'invalid_metadata_schema', field: '/json_schema' });
    validator.checkSchema({});
  });
});
