import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, parseHttpUrl } from '../../src/protocol/http-url.ts';

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

test('this machine is told from another by how a URL names it', () => {
  const hostOf = (url: string): string => new URL(url).hostname;
  for (const url of ['http://localhost', 'http://LOCALHOST:1', 'http://127.1', 'http://127.255.0.1', 'http://[::1]:8', 'http://2130706433'])
    assert.ok(isLoopback(hostOf(url)), url);
  for (const url of ['http://127.0.0.1.example.org', 'http://localhost.example.org', 'http://128.0.0.1', 'http://[::2]', 'http://0.0.0.0'])
    assert.ok(!isLoopback(hostOf(url)), url);
});
