import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type IssuerConfig, issuerDefaults } from '../../../src/identity/oidc/issuer-config.ts';
import { createOidc } from '../../../src/identity/oidc/verifier.ts';
import { type Issuer, startIssuer } from '../../stores/issuer.ts';
import { endsWith } from './test-issuer.ts';

let issuer: Issuer;
let config: IssuerConfig;
before(async () => {
  issuer = await startIssuer();
  config = { ...issuerDefaults, name: 'provider', issuer: issuer.url, audience: issuer.audience, jwksUrl: undefined, caFile: undefined };
});
after(() => issuer[Symbol.asyncDispose]());

test("a token of oidc-provider's own endpoint is verified, by discovery and by its keys alone", async () => {
  const token = await issuer.clientToken();
  for (const jwksUrl of [undefined, `${issuer.url}/jwks`]) {
    const oidc = createOidc({ now: Date.now });
    oidc.use([{ ...config, jwksUrl }]);
    const { claims, expiresAt } = await oidc.verify(token);
    assert.equal(claims.client_id, 'artifactstore-server');
    assert.equal(claims.iss, issuer.url);
    assert.equal(expiresAt, Number(claims.exp) * 1000);
    await endsWith(oidc.verify(`${token.slice(0, -6)}AAAAAA`), 'unauthorized', /signature does not match/);
  }
});

test('its token for another registry, or for longer than is allowed, is refused', async () => {
  const oidc = createOidc({ now: Date.now });
  oidc.use([{ ...config, audience: 'urn:artifactstore:other' }]);
  await endsWith(
    oidc.verify(await issuer.clientToken()),
    'unauthorized',
    /"urn:artifactstore:storage", and has to be "urn:artifactstore:other"/,
  );
  oidc.use([{ ...config, maximumAgeSeconds: 300 }]);
  await endsWith(oidc.verify(await issuer.clientToken()), 'unauthorized', /lives 600 s, and at most 300 s/);
});
