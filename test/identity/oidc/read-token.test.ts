import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasTokenForm } from '../../../src/identity/oidc/read-token.ts';
import { compact } from './test-issuer.ts';

test('what may be a token of an issuer is told from those that only their server knows', () => {
  const heads = [{ alg: 'RS256' }, '{ "alg": "RS256" }', '{\n  "alg": "RS256"\n}', '{\r\n"alg":"RS256"}', '{\t"alg":"RS256"}'];
  for (const head of heads) assert.ok(hasTokenForm(compact(head, {})), JSON.stringify(head));
  assert.ok(hasTokenForm(`${compact({ alg: 'RSA-OAEP' }, {})}.AAAA.AAAA`), 'encrypted, so that the refusal can say so');
  for (const text of ['', 'secret', 'ey.secret', 'glpat-x.y.z', 'a.b.c', 'eyJ', 'eyJ.a.b.c', 'eyJh bGc.a.b', 'eyJhbGc.a.b='])
    assert.ok(!hasTokenForm(text), text);
});
