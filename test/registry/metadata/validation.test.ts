import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type JsonObject, parseJson } from '../../../src/kernel/format/json.ts';
import { maximumCode, maximumMetadataLength } from '../../../src/registry/metadata/schema-bounds.ts';
import { createMetadataValidator } from '../../../src/registry/metadata/validation.ts';
import { costlySchemas, manyReferences } from './costly-schemas.ts';

describe('metadata against its schema', () => {
  const validator = createMetadataValidator(() => 0);
  after(() => validator.close());
  const check = (slug: string, schema: JsonObject, metadata: JsonObject) => validator.validate('tester', slug, schema, metadata);

  it('is checked by the rules of JSON Schema 2020-12', async () => {
    const schema = {
      $id: 'https://example.org/shared',
      type: 'object',
      required: ['n'],
      properties: { n: { type: 'integer' }, when: { type: 'string', format: 'date' }, pair: { prefixItems: [{ type: 'string' }] } },
      unevaluatedProperties: false,
    };
    await check('first', schema, { n: 1, when: '2026-01-31', pair: ['x', 1] });
    for (const [field, metadata] of [
      ['/metadata', {}],
      ['/metadata/n', { n: 1.5 }],
      ['/metadata/when', { n: 1, when: '2026-02-30' }],
      ['/metadata/pair/0', { n: 1, pair: [1] }],
      ['/metadata', { n: 1, other: true }],
    ] as const)
      await assert.rejects(check('first', schema, metadata), { code: 'metadata_mismatch', field });
    // The same $id in another schema neither collides with it nor sees it.
    await check('second', { ...schema, required: [] }, {});
  });

  it('finds rules that are referred to, by every kind of reference', async () => {
    const tree = {
      $defs: {
        text: { $anchor: 'text', type: 'string' },
        node: { $dynamicAnchor: 'node', properties: { below: { $dynamicRef: '#node' } } },
      },
      properties: { a: { $ref: '#/$defs/text' }, b: { $ref: '#text' }, c: { $ref: '#' }, d: { allOf: [{ $ref: '#/$defs/node' }] } },
      additionalProperties: false,
    };
    await check('tree', tree, { a: 'x', b: 'y', c: { c: { a: 'z' } }, d: { below: { below: {} } } });
    await assert.rejects(check('tree', tree, { c: { c: { a: 1 } } }), { field: '/metadata/c/c/a' });
    await assert.rejects(check('tree', tree, { b: 1 }), { field: '/metadata/b' });
    const itself = { $ref: 'https://json-schema.org/draft/2020-12/schema' };
    await check('itself', itself, { type: 'object' });
    await assert.rejects(check('itself', itself, { type: 'nothing' }), { code: 'metadata_mismatch' });
  });

  it('counts as present only what is there', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      await assert.rejects(check(`needs-${name}`, { required: [name] }, {}), { code: 'metadata_mismatch' }, name);
      await check(`needs-${name}`, { required: [name] }, parseJson(Buffer.from(`{"${name}":1}`)) as JsonObject);
    }
  });

  it('refuses what is not a schema that can be used', async () => {
    for (const bad of [
      { type: 'nothing' },
      { $ref: 'https://example.org/elsewhere' },
      { $ref: '#' },
      { $ref: '#/$defs/none' },
      { $dynamicRef: '#none' },
      { $id: 'https://example.org/loop', $ref: 'https://example.org/loop' },
      { properties: { a: { $ref: '#/properties/b' }, b: { allOf: [{ $ref: '#/properties/a' }] } } },
      { $defs: { a: { $anchor: 'a', not: { $ref: '#a' } } } },
      { properties: JSON.parse('{"__proto__": {"type": "string"}}') as JsonObject },
      { $async: true, type: 'object' },
      { properties: 1 },
      { pattern: '(' },
      { description: 'x'.repeat(1_100_000) },
    ])
      await assert.rejects(
        validator.checkSchema('tester', bad),
        { code: 'invalid_metadata_schema', field: '/json_schema' },
        JSON.stringify(bad).slice(0, 80),
      );
    await validator.checkSchema('tester', {});
  });

  it('says at its use when a registered schema cannot be applied', async () => {
    const refusal = { code: 'invalid_metadata_schema', field: '/metadata_schema_slug' };
    await assert.rejects(check('loop', { $ref: '#' }, {}), refusal);
    const late = { $id: 'https://example.org/late', properties: { a: { $id: 'a', anyOf: [{ $ref: '#' }] } } };
    await check('late', late, {});
    await assert.rejects(check('late', late, { a: 1 }), refusal);
    await assert.rejects(check('key', { properties: { a: { const: { valueOf: 1 } } } }, { a: { valueOf: 1 } }), refusal);
  });
});

describe('schemas that cost too much', () => {
  const bounds = { quickMilliseconds: 100, quickHeapMebibytes: 32, milliseconds: 300, heapMebibytes: 64, slow: 8, slowOfOne: 4 };
  const validator = createMetadataValidator(() => 0, bounds);
  after(() => validator.close());

  it('are refused when as many of one caller as may wait already', async () => {
    const one = createMetadataValidator(() => 0, { ...bounds, quickMilliseconds: 20, slow: 1, slowOfOne: 1 });
    const { schema, metadata } = costlySchemas.backtracking!;
    try {
      const uses = await Promise.allSettled(Array.from({ length: 3 }, () => one.validate('a', 'slow', schema, metadata)));
      const reasons = uses.map((use) =>
        use.status === 'rejected' && isArtifactstoreError(use.reason) ? use.reason.info?.bound : use.status,
      );
      assert.deepEqual(reasons.toSorted(), ['schema_time', 'schema_waiting', 'schema_waiting']);
    } finally {
      await one.close();
    }
  });

  describe('but in their compiled form only', () => {
    const patient = createMetadataValidator(() => 0, { ...bounds, milliseconds: 30_000 });
    after(() => patient.close());

    it('are refused when that is long', async () => {
      const names = Array.from({ length: 8 }, (_, index) => `${index}`.padStart(100_000, 'k'));
      const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
      await assert.rejects(patient.checkSchema('a', { properties }), {
        code: 'metadata_schema_too_costly',
        info: { bound: 'schema_code', limit: maximumCode },
      });
    });

    it('are none where hundreds of places refer to one long definition', () => patient.checkSchema('a', manyReferences(700, 200)));
  });

  it('are not tried with metadata that is too long', async () => {
    await assert.rejects(validator.validate('a', 'any', {}, { long: 'x'.repeat(maximumMetadataLength) }), {
      code: 'body_too_large',
      info: { bound: 'metadata_characters', limit: maximumMetadataLength },
    });
  });
});
