import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHttpUrl } from '../../src/protocol/http-url.ts';

test('an address is http or https, without a slash at its end', () => {
  assert.equal(parseHttpUrl('https://store.example.org/'), 'https://store.example.org');
  assert.equal(parseHttpUrl('HTTP://[::1]:8000/base//'), 'http://[::1]:8000/base');
});

test('what is no plain address is refused, with what is wrong', () => {
  assert.throws(() => parseHttpUrl('store.example.org'), /"store.example.org" is not an http:\/\/ or https:\/\/ address/);
  assert.throws(() => parseHttpUrl('ftp://store.example.org'), /is not an http/);
  for (const text of ['http://user@x', 'http://user:pass@x', 'http://x?y', 'http://x#y'])
    assert.throws(() => parseHttpUrl(text), /no user, password, query or fragment/, text);
});
