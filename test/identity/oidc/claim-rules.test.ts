import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkClaims } from '../../../src/identity/oidc/claim-rules.ts';
import { type IssuerConfig, issuerDefaults } from '../../../src/identity/oidc/issuer-config.ts';

const config: IssuerConfig = {
  ...{ ...issuerDefaults, name: 'ci', jwksUrl: undefined, caFile: undefined },
  ...{ issuer: 'https://issuer.example', audience: 'https://artifacts.example.org' },
};
const claims = { iss: config.issuer, aud: config.audience, iat: 1_000, exp: 1_600 };
const check = (more: object, now: number) => checkClaims({ ...claims, ...more }, config, [config.audience], now);

test('the rules hold whichever table was found for a token: another issuer is refused', () => {
  assert.deepEqual(check({}, 1_000_000), { issuedAt: 1_000_000, expiresAt: 1_600_000 });
  assert.throws(() => check({ iss: 'https://other.example' }, 1_000_000), /its issuer is not "https:\/\/issuer.example"/);
});

test('each bound is met to the millisecond: the end is over when it is reached, and a clock may be 60 seconds ahead', () => {
  assert.ok(check({}, 1_599_999));
  assert.throws(() => check({}, 1_600_000), /it expired at/);
  assert.ok(check({}, 940_000));
  assert.throws(() => check({}, 939_999), /issued in the future/);
  assert.ok(check({ nbf: 1_060 }, 1_000_000));
  assert.throws(() => check({ nbf: 1_060.001 }, 1_000_000), /not valid before/);
  assert.ok(check({ exp: 1_900 }, 1_000_000));
  assert.throws(() => check({ exp: 1_900.001 }, 1_000_000), /at most 900 s/);
});
