import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type IssuerConfig, issuerDefaults } from '../../../src/identity/oidc/issuer-config.ts';
import { createOidc } from '../../../src/identity/oidc/verifier.ts';
import { openIdentity } from '../../../src/identity/open.ts';
import { allows } from '../../../src/kernel/access.ts';
import { type Keycloak, startKeycloak, whyNoKeycloak } from '../../stores/keycloak.ts';
import { endsWith } from './test-issuer.ts';

describe('Keycloak', { skip: whyNoKeycloak() ?? false }, () => {
  let keycloak: Keycloak;
  let config: IssuerConfig;
  /** How much later it is than it is. */
  let later = 0;
  const now = (): number => Date.now() + later;
  before(async () => {
    keycloak = await startKeycloak();
    const { issuer, audience } = keycloak;
    config = { ...issuerDefaults, name: 'keycloak', issuer, audience, maximumAgeSeconds: 3600, jwksUrl: undefined, caFile: undefined };
  });
  after(() => keycloak?.[Symbol.asyncDispose]());

  test('the token of a client is verified, and does what the access file grants its client', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'artifactstore-access-'));
    const path = join(folder, 'access.toml');
    writeFileSync(
      path,
      `[issuers.keycloak]
issuer = "${keycloak.issuer}"
audience = "${keycloak.audience}"
maximum_age_seconds = 3600

[[grants]]
issuer = "keycloak"
claims = { azp = "ci" }
actor = "keycloak:{azp}"
role = "writer"
producers = ["acme-app"]
`,
    );
    await using identity = await openIdentity({ tokens: [], accessFile: { path } });
    const { principal, by } = await identity.identify(await keycloak.token('ci'));
    assert.deepEqual([principal.actor, by], ['keycloak:ci', 'issuer keycloak']);
    assert.ok(allows(principal, 'write', 'acme-app') && !allows(principal, 'write', 'other'));
    rmSync(folder, { recursive: true });
  });

  test('the token of a client without the audience, or with another one besides, is refused', async () => {
    const oidc = createOidc({ now });
    oidc.use([config]);
    await endsWith(oidc.verify(await keycloak.token('plain')), 'unauthorized', /its audience \("aud"\) is "account"/);
    await endsWith(oidc.verify(await keycloak.token('both')), 'unauthorized', /is a list of 2 \(.*"account"/);
  });

  test('a new key signs at once, the old one holds as long as it is published, and a withdrawn one ends in ten minutes', async () => {
    const oidc = createOidc({ now });
    oidc.use([config]);
    const withdraw = await keycloak.addKey();
    const before = await keycloak.token('ci');
    await oidc.verify(before);
    assert.equal(oidc.status()[0]?.keys, 2);

    later += 31_000;
    await keycloak.addKey();
    const next = await keycloak.token('ci');
    assert.notEqual(next.split('.')[0], before.split('.')[0]);
    assert.equal((await oidc.verify(next)).claims.azp, 'ci');
    assert.equal((await oidc.verify(before)).claims.azp, 'ci');
    assert.equal(oidc.status()[0]?.keys, 3);

    await withdraw();
    later += 600_000;
    await endsWith(oidc.verify(before), 'unauthorized', /publishes no key of the name/);
    assert.equal((await oidc.verify(next)).claims.azp, 'ci');
  });

  test('when it is gone, its tokens hold on, and those of keys that nobody knows are no refusal', async () => {
    const [known, unknown] = [createOidc({ now }), createOidc({ now })];
    for (const oidc of [known, unknown]) oidc.use([config]);
    const token = await keycloak.token('ci');
    await known.verify(token);
    await keycloak.stop();
    later += 1_200_000;
    assert.equal((await known.verify(token)).claims.azp, 'ci');
    await endsWith(unknown.verify(token), 'identity_unavailable', /nothing listens there/);
  });
});
