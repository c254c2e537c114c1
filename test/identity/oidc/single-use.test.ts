import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { countUse } from '../../../src/identity/oidc/single-use.ts';
import { createUsedTokens } from '../../../src/identity/oidc/used-tokens.ts';
import { createOidc } from '../../../src/identity/oidc/verifier.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { endsWith, startTestIssuer, type TestIssuer } from './test-issuer.ts';

let clock = Date.now();
const now = (): number => clock;
let issuer: TestIssuer;
before(async () => {
  issuer = await startTestIssuer(now);
});
after(() => issuer[Symbol.asyncDispose]());

test('where single use is asked for, a token counts once, however often and at whatever time it is shown', async () => {
  const oidc = createOidc({ now });
  const config = { ...issuer.config, singleUse: true };
  oidc.use([config]);
  clock += 6_000;
  const token = await issuer.sign({ jti: 'one' });
  const answers = await Promise.allSettled(Array.from({ length: 20 }, async () => await oidc.verify(token)));
  assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1);
  await endsWith(oidc.verify(token), 'unauthorized', /used before, and each counts once/);
  // Another token with the same jti is the same token.
  await endsWith(oidc.verify(await issuer.sign({ jti: 'one', sub: 'x' })), 'unauthorized', /used before, and each counts once/);
  assert.equal((await oidc.verify(await issuer.sign({ jti: 'two' }))).issuer, 'ci');
  await endsWith(oidc.verify(await issuer.sign({ jti: undefined })), 'unauthorized', /has no "jti"/);
  await endsWith(oidc.verify(await issuer.sign({ jti: 7 })), 'unauthorized', /has no "jti"/);
  await endsWith(oidc.verify(await issuer.sign({ jti: '' })), 'unauthorized', /has no "jti"/);
  // A token that is refused for something else is not used up.
  const early = await issuer.sign({ jti: 'three', nbf: Math.floor(clock / 1000) + 10 });
  await endsWith(oidc.verify(early), 'unauthorized', /not valid before/);
  clock += 10_000;
  assert.equal((await oidc.verify(early)).issuer, 'ci');

  // The file of access is read again, without the table and with it again.
  oidc.use([]);
  oidc.use([{ ...config, maximumAgeSeconds: 800 }]);
  await endsWith(oidc.verify(token), 'unauthorized', /used before, and each counts once/);
});

test('what may have been used before anybody counted is refused', async () => {
  const oidc = createOidc({ now });
  const config = { ...issuer.config, singleUse: true };
  oidc.use([issuer.config]);
  const token = await issuer.sign();
  await oidc.verify(token);
  clock += 60_000;
  oidc.use([config]);
  await endsWith(oidc.verify(token), 'unauthorized', /older than this server/);
  const ahead = { iat: Math.floor(clock / 1000) + 4, nbf: undefined };
  await endsWith(oidc.verify(await issuer.sign(ahead)), 'unauthorized', /older than this server/);
  await endsWith(oidc.verify(await issuer.sign({ ...ahead, iat: ahead.iat + 3 })), 'unauthorized', /issued in the future/);
  clock += 6_000;
  assert.equal((await oidc.verify(await issuer.sign())).issuer, 'ci');
});

test('when no more can be kept in mind it says so, and takes none', () => {
  const used = createUsedTokens(0, 1);
  const times = { issuedAt: 10_000, expiresAt: 20_000 };
  countUse(used, 'ci', { jti: 'one' }, times, 10_000);
  for (const jti of ['two', 'two'])
    assert.throws(
      () => countUse(used, 'ci', { jti }, times, 10_000),
      (error: unknown) => isArtifactstoreError(error, 'identity_unavailable') && /can keep in mind/.test(error.message),
    );
});
