import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkAnnotations,
  checkLimit,
  checkMediaType,
  checkMetadata,
  checkNewPackage,
  checkSlug,
  checkText,
} from '../../src/registry/input.ts';

describe('what callers hand to the registry', () => {
  it('takes text of 1 to 256 characters without control characters', () => {
    assert.equal(checkText('a', 'name'), 'a');
    assert.equal(checkText('ü'.repeat(256), 'name').length, 256);
    // Counted as JSON Schema counts them, so that the description says the same.
    assert.equal(checkText('💡'.repeat(256), 'name').length, 512);
    assert.throws(() => checkText('💡'.repeat(257), 'name'), { code: 'invalid_value' });
    for (const bad of ['', 'x'.repeat(257), 'a\u0000', 'a\u0085', 'a\u007f', '\ud800', 5, null, undefined])
      assert.throws(() => checkText(bad, 'name'), { code: 'invalid_value', field: '/name' });
  });

  it('takes slugs', () => {
    for (const good of ['a', 'guide-board.run.v1', 'artifactstore:schemas:x']) assert.equal(checkSlug(good, 'slug'), good);
    for (const bad of ['', '-a', 'a b', 'a/b', 'é', 'x'.repeat(129)])
      assert.throws(() => checkSlug(bad, 'slug'), { code: 'invalid_value' });
  });

  it('takes JSON objects as metadata', () => {
    assert.deepEqual(checkMetadata(undefined), {});
    assert.deepEqual(checkMetadata({ a: [1, { b: null }] }), { a: [1, { b: null }] });
    for (const bad of [null, [], 'x', 1, { a: Number.NaN }, { a: '\udc00' }, { a: 1n }, { a: () => 1 }])
      assert.throws(() => checkMetadata(bad), { code: 'invalid_value' });
  });

  it('fills in what a new package leaves out', () => {
    const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    assert.deepEqual(checkNewPackage(input), { ...input, metadata: {}, metadata_schema_slug: null });
  });

  it('takes media types', () => {
    assert.equal(checkMediaType(undefined), 'application/octet-stream');
    for (const good of ['text/plain', 'text/plain; charset=utf-8', 'application/vnd.x+json']) assert.equal(checkMediaType(good), good);
    for (const bad of ['', 'text', 'text/', '/plain', 'text/plain\n', 'text/pl ain', `text/${'x'.repeat(300)}`])
      assert.throws(() => checkMediaType(bad), { code: 'invalid_value' });
  });

  it('takes string maps as annotations', () => {
    assert.deepEqual(checkAnnotations(undefined), {});
    assert.deepEqual(checkAnnotations({ mode: 'executable', 'a.b-c_d': '' }), { mode: 'executable', 'a.b-c_d': '' });
    for (const bad of [{ A: '' }, { '': '' }, { a: 'x\n' }, { a: 'x'.repeat(1025) }, { a: 1 as unknown as string }])
      assert.throws(() => checkAnnotations(bad), { code: 'invalid_value' });
    assert.throws(() => checkAnnotations(Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, '']))), {
      code: 'invalid_value',
    });
  });

  it('takes limits from 1 to 1,000', () => {
    assert.equal(checkLimit(undefined), 100);
    for (const bad of [0, -1, 1.5, 1001, Number.NaN]) assert.throws(() => checkLimit({ limit: bad }), { code: 'malformed_request' });
  });
});
