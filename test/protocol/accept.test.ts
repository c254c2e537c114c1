import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { negotiate } from '../../src/protocol/accept.ts';

const offered = ['application/cbor', 'application/json'] as const;

test('gives the first of the offer where nothing is preferred', () => {
  for (const field of [undefined, '', '*/*', 'application/*', 'application/json, application/cbor', 'text/html, */*;q=0.1'])
    assert.equal(negotiate(field, offered), 'application/cbor', String(field));
});

test('follows weights and exact types', () => {
  assert.equal(negotiate('application/json', offered), 'application/json');
  assert.equal(negotiate('application/cbor;q=0.5, application/json;q=0.9', offered), 'application/json');
  assert.equal(negotiate('application/json, */*', offered), 'application/json');
  assert.equal(negotiate('application/cbor;q=0, */*', offered), 'application/json');
  assert.equal(negotiate('APPLICATION/JSON ; Q=1', offered), 'application/json');
});

test('gives nothing where nothing is accepted', () => {
  for (const field of ['text/html', 'application/json;q=0, application/cbor;q=0', '*/*;q=0', 'application/json;q=nonsense'])
    assert.equal(negotiate(field, offered), undefined, field);
});

test('never throws', () => {
  fc.assert(fc.property(fc.string(), (field) => [undefined, ...offered].includes(negotiate(field, offered))));
});
