import assert from 'node:assert/strict';
import test from 'node:test';
import { discoveryUrl, issuerUrlFault, keysUrlFault } from '../../../src/identity/oidc/issuer-url.ts';

test('an issuer is asked over https, or over http in this machine only', () => {
  const good = [
    'https://token.actions.githubusercontent.com',
    'https://gitlab.example.org/',
    'https://id.example.org:8443/realms/lab',
    'http://127.0.0.1:4455',
    'http://[::1]:4455/x',
    'http://localhost',
  ];
  for (const text of good) assert.equal(issuerUrlFault(text), undefined, text);
  const bad: readonly (readonly [string, RegExp])[] = [
    ['http://id.example.org', /https/],
    ['http://127.0.0.1.example.org', /https/],
    ['http://localhost.example.org', /https/],
    ['http://10.0.0.1', /https/],
    ['file:///etc/passwd', /https/],
    ['id.example.org', /not an address/],
    ['https://id.example.org/\n', /not an address/],
    ['', /not an address/],
    ['https://user:secret@id.example.org', /user or a password/],
    ['https://id.example.org/?a=b', /query/],
    ['https://id.example.org/#', /fragment/],
  ];
  for (const [text, reason] of bad) assert.match(issuerUrlFault(text) ?? '', reason, text);
});

test('an address of keys may have a query, and nothing else that an issuer may not', () => {
  assert.equal(keysUrlFault('https://id.example.org/keys?version=2'), undefined);
  assert.match(keysUrlFault('http://id.example.org/keys') ?? '', /https/);
});

test('a slash at the end of an issuer is not doubled', () => {
  assert.equal(discoveryUrl('https://id.example.org'), 'https://id.example.org/.well-known/openid-configuration');
  assert.equal(discoveryUrl('https://id.example.org/a/'), 'https://id.example.org/a/.well-known/openid-configuration');
});
