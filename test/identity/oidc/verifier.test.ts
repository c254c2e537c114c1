import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { exportJWK } from 'jose';
import { type IssuerConfig, signingAlgorithms } from '../../../src/identity/oidc/issuer-config.ts';
import type { VerifiedToken } from '../../../src/identity/oidc/OIDC.ts';
import { createOidc } from '../../../src/identity/oidc/verifier.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { audience, compact, endsWith, makeKey, startTestIssuer, type TestIssuer } from './test-issuer.ts';

let clock = Date.now();
const now = (): number => clock;
const seconds = (): number => Math.floor(clock / 1000);
let issuer: TestIssuer;

before(async () => {
  issuer = await startTestIssuer(now);
});
after(() => issuer[Symbol.asyncDispose]());
afterEach(() => {
  issuer.asked.length = 0;
});

function open(...configs: readonly Partial<IssuerConfig>[]): ReturnType<typeof createOidc> {
  const oidc = createOidc({ now });
  oidc.use((configs.length === 0 ? [{}] : configs).map((each) => ({ ...issuer.config, ...each })));
  return oidc;
}

/** Says that the token is refused, why, and nothing of it. */
async function refusal(answer: VerifiedToken | Promise<VerifiedToken>, reason: RegExp, token = ''): Promise<void> {
  await endsWith(answer, 'unauthorized', reason);
  const { message } = (await Promise.resolve(answer).catch((error: Error) => error)) as Error;
  for (const part of token.split('.').filter((each) => each.length > 8)) assert.ok(!message.includes(part));
}

test('a good token says who, and is known from then on without a promise', async () => {
  const oidc = open();
  const token = await issuer.sign({ repository_id: '12345', 'kubernetes.io': { pod: { uid: 'x' } } });
  const verified = await oidc.verify(token);
  assert.equal(verified.issuer, 'ci');
  assert.equal(verified.claims.repository_id, '12345');
  assert.deepEqual(verified.claims['kubernetes.io'], { pod: { uid: 'x' } });
  assert.equal(verified.expiresAt, (seconds() + 600) * 1000);
  assert.equal(oidc.verify(token), verified);
  assert.deepEqual(issuer.asked, ['/.well-known/openid-configuration', '/keys']);
  assert.equal((await oidc.verify(await issuer.sign({ aud: [audience] }))).issuer, 'ci');
  assert.equal((await oidc.verify(await issuer.sign({ nbf: undefined }, { typ: undefined }))).issuer, 'ci');
});

test('a token that was known ends when it ends', async () => {
  const oidc = open();
  const token = await issuer.sign({ exp: seconds() + 100 });
  await oidc.verify(token);
  clock += 99_000;
  assert.ok(!(oidc.verify(token) instanceof Promise));
  clock += 2_000;
  await refusal(oidc.verify(token), /expired at 2.*Z, and it is/, token);
});

test('each rule of a claim is said', async () => {
  const oidc = open();
  const cases: readonly (readonly [claims: Readonly<Record<string, unknown>>, reason: RegExp])[] = [
    [{ iss: 'https://other.example.org' }, /issuer \("iss"\), "https:\/\/other.example.org", is not one of this server/],
    [{ iss: `${issuer.url}/` }, /is not one of this server/],
    [{ iss: undefined }, /has no issuer/],
    [{ iss: [issuer.url] }, /has no issuer/],
    [
      { aud: 'https://other-registry.example.org' },
      /audience .* is "https:\/\/other-registry.example.org", and has to be "https:\/\/artifacts.example.org" alone/,
    ],
    [{ aud: `${audience}/` }, /has to be/],
    [
      { aud: [audience, 'https://other-registry.example.org'] },
      /is a list of 2 \("https:\/\/artifacts.example.org", "https:\/\/other-registry.example.org"\), and has to be/,
    ],
    [{ aud: [audience, audience] }, /is a list of 2/],
    [{ aud: [] }, /is a list of 0/],
    [{ aud: { [audience]: true } }, /is not a string/],
    [{ aud: undefined }, /is missing/],
    [{ exp: seconds() }, /expired at/],
    [{ exp: seconds() - 1 }, /expired at/],
    [{ exp: undefined }, /has no "exp"/],
    [{ exp: `${seconds() + 300}` }, /"exp" is not a time/],
    [{ exp: 1e300 }, /"exp" is not a time/],
    [{ exp: -1 }, /"exp" is not a time/],
    [{ iat: undefined }, /has no "iat"/],
    [{ iat: null }, /"iat" is not a time/],
    [{ iat: seconds() + 62, nbf: undefined }, /issued in the future/],
    [{ nbf: seconds() + 62 }, /not valid before .* \("nbf"\)/],
    [{ nbf: true }, /"nbf" is not a time/],
    [{ exp: seconds() + 901 }, /lives 901 s, and at most 900 s .* \(maximum_age_seconds of the issuer "ci"\)/],
    [{ iat: 0 }, /at most 900 s/],
    [{ cnf: { jkt: 'x' } }, /bound to a key/],
  ];
  for (const [claims, reason] of cases) {
    const token = await issuer.sign(claims);
    await refusal(oidc.verify(token), reason, token);
  }
  // What a stranger wrote into it is not said at length.
  for (const long of [{ iss: 'i'.repeat(10_000) }, { aud: 'a'.repeat(10_000) }, { aud: Array.from({ length: 300 }, () => 'audience') }])
    await refusal(oidc.verify(await issuer.sign(long)), /^.{0,500}$/);
  const good = [{ iat: seconds() + 58, nbf: undefined }, { nbf: seconds() + 58 }, { exp: seconds() + 900 }, { exp: seconds() + 1 }];
  for (const claims of good) assert.equal((await oidc.verify(await issuer.sign(claims))).issuer, 'ci', JSON.stringify(claims));
});

test('a signature counts only by an algorithm of the list, with a key that was published for it', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rsa = { publicKey, privateKey, published: { ...(await exportJWK(publicKey)), alg: 'RS256', kid: 'rsa' } };
  issuer.keys = [await makeKey('ec'), rsa];
  const oidc = open({ algorithms: ['RS256', 'ES256'] });
  const claims = { iss: issuer.url, aud: audience, iat: seconds(), exp: seconds() + 60 };
  assert.equal((await oidc.verify(await issuer.sign({}, {}, rsa))).issuer, 'ci');

  const none = /signed with "(none|None|nOnE)", which its issuer may not use here\.$/;
  for (const alg of ['none', 'None', 'nOnE']) {
    await refusal(oidc.verify(compact({ alg, kid: 'rsa' }, claims, '')), none);
    await refusal(oidc.verify(compact({ alg }, claims)), none);
  }
  // The attacks on verifiers that take the public key for a shared secret.
  for (const secret of [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(rsa.published),
    '',
  ])
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const sign = (signed: string): string => createHmac(alg.replace('HS', 'sha'), secret).update(signed).digest('base64url');
      await refusal(oidc.verify(compact({ alg, kid: 'rsa' }, claims, sign)), /signed with "HS/);
    }
  // Asymmetric ones that the table does not have.
  await refusal(oidc.verify(await issuer.sign({}, { alg: 'PS256' }, rsa)), /signed with "PS256"/);
  await refusal(oidc.verify(await issuer.sign({}, { alg: 'RS512' }, rsa)), /signed with "RS512"/);
  // A key of another kind or for another algorithm is none of this name.
  await refusal(oidc.verify(compact({ alg: 'RS256', kid: 'ec' }, claims)), /publishes no key/);
  await refusal(oidc.verify(compact({ alg: 'ES256', kid: 'rsa' }, claims)), /publishes no key/);
  const all = open({ algorithms: ['RS256', 'RS512', 'PS256'] });
  await refusal(all.verify(await issuer.sign({}, { alg: 'PS256' }, rsa)), /publishes no key/);

  const token = await issuer.sign();
  const [head, body, signature] = token.split('.');
  const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody else' })).toString('base64url');
  await refusal(oidc.verify(`${head}.${changed}.${signature}`), /signature does not match/);
  await refusal(oidc.verify(`${head}.${body}.${signature?.slice(0, -8)}`), /signature does not match/);
  await refusal(oidc.verify(`${head}.${body}.`), /signature does not match/);
  // Signed by somebody else under the same name.
  await refusal(oidc.verify(await issuer.sign({}, { kid: 'ec' }, await makeKey('ec'))), /signature does not match/);
});

test('a key that the token brings along, or says where to get, is never looked at', async () => {
  const attacker = await makeKey(issuer.keys[0]?.published.kid);
  await using theirs = await startTestIssuer(now);
  theirs.keys = [attacker];
  const url = `${theirs.url}/keys`;
  const oidc = open();
  const certificate = [Buffer.from('certificate').toString('base64')];
  for (const header of [{ jku: url }, { x5u: url }, { jwk: attacker.published }, { x5c: certificate }, { jku: url, x5u: url, kid: url }]) {
    await refusal(oidc.verify(await issuer.sign({}, header, attacker)), /signature does not match|publishes no key/);
    // And does no harm where the issuer itself put it there.
    if (!('kid' in header)) assert.equal((await oidc.verify(await issuer.sign({}, header))).issuer, 'ci');
  }
  assert.deepEqual(theirs.asked, []);
});

test('a header that asks for more than is understood here is refused', async () => {
  const oidc = open();
  await refusal(oidc.verify(await issuer.sign({}, { b64: true, crit: ['b64'] })), /critical extensions/);
  const claims = { iss: issuer.url, aud: audience, iat: seconds(), exp: seconds() + 60 };
  await refusal(oidc.verify(compact({ alg: 'ES256', crit: ['exp'] }, claims)), /critical extensions/);
  await refusal(oidc.verify(compact({ alg: 'ES256', crit: [] }, claims)), /critical extensions/);
  for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JWT ', ''])
    await refusal(oidc.verify(await issuer.sign({}, { typ })), /its type \("typ"\)/);
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt'])
    assert.equal((await oidc.verify(await issuer.sign({}, { typ }))).issuer, 'ci');
  await refusal(oidc.verify(compact({ alg: 'ES256', kid: 7 }, claims)), /names a key .* not a string/);
  await refusal(oidc.verify(compact({ kid: 'x' }, claims)), /names no algorithm/);
});

test('what is no signed token of a bounded length is refused before anything is asked or decoded', async () => {
  const oidc = open();
  const claims = JSON.stringify({ iss: issuer.url, aud: audience, iat: seconds(), exp: seconds() + 60 });
  const cases: readonly (readonly [token: string, reason: RegExp])[] = [
    [await issuer.sign({ padding: 'x'.repeat(1_048_576) }), /longer than 16384 characters/],
    ['.'.repeat(1_048_576), /longer than/],
    ['eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d', /encrypted/],
    ['secret-of-the-server', /not a JSON Web Token/],
    ['a.b.c.d', /not a JSON Web Token/],
    ['a.b', /not a JSON Web Token/],
    ['', /not a JSON Web Token/],
    ['e30=.e30=.e30=', /not in base64url/],
    ['e30.e3 0.AA', /not in base64url/],
    [compact('{"alg":"ES256","alg":"none"}', claims), /header is not good JSON .*twice/],
    [compact({ alg: 'ES256' }, claims.replace('{', `{"iss":"https://other.example.org",`)), /payload is not good JSON .*twice/],
    [compact({ alg: 'ES256' }, '{"a":{"b":1,"b":2}}'), /payload is not good JSON/],
    [compact({ alg: 'ES256' }, `${claims} {}`), /payload is not good JSON/],
    [compact({ alg: 'ES256' }, `${'['.repeat(5000)}`), /payload is not good JSON/],
    [compact({ alg: 'ES256' }, `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`), /payload is not good JSON/],
    [
      `${compact({ alg: 'ES256' }, '').split('.')[0]}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.AA`,
      /payload is not good JSON/,
    ],
    [JSON.stringify({ protected: 'e30', payload: 'e30', signature: 'AA' }), /not a JSON Web Token/],
    [compact({ alg: 'ES256' }, '[]'), /payload is not a JSON object/],
    [compact('{"__proto__":{"alg":"ES256"}}', claims), /names no algorithm/],
    [compact('"ES256"', claims), /header is not a JSON object/],
    [compact({ alg: 'ES256' }, JSON.stringify({ a: new Array(3000).fill(1) })), /payload is not good JSON/],
  ];
  for (const [token, reason] of cases) await refusal(oidc.verify(token), reason);
  assert.deepEqual(issuer.asked, []);
});

test('an issuer that no table has is asked nothing', async () => {
  await using other = await startTestIssuer(now);
  await refusal(open().verify(await other.sign()), /is not one of this server/);
  assert.deepEqual([...other.asked, ...issuer.asked], []);
});

test('two tables of one issuer are told apart by their audience, and share its keys', async () => {
  const oidc = open({ name: 'first' }, { name: 'second', audience: 'https://second.example.org', maximumAgeSeconds: 60 });
  assert.equal((await oidc.verify(await issuer.sign())).issuer, 'first');
  const short = { aud: ['https://second.example.org'], exp: seconds() + 60 };
  assert.equal((await oidc.verify(await issuer.sign(short))).issuer, 'second');
  await refusal(oidc.verify(await issuer.sign({ aud: 'https://second.example.org' })), /at most 60 s/);
  await refusal(
    oidc.verify(await issuer.sign({ aud: 'https://third.example.org' })),
    /"https:\/\/artifacts.example.org" or "https:\/\/second.example.org" alone/,
  );
  await refusal(oidc.verify(await issuer.sign({ aud: [audience, 'https://second.example.org'] })), /is a list of 2/);
  assert.equal(issuer.asked.filter((path) => path === '/keys').length, 1);
});

test('what a table no longer allows ends what was verified with it; what stays is kept', async () => {
  const oidc = open({ name: 'a' }, { name: 'b', audience: 'https://b.example.org' });
  const [ofA, ofB] = [await issuer.sign(), await issuer.sign({ aud: 'https://b.example.org' })];
  await oidc.verify(ofA);
  const verified = await oidc.verify(ofB);
  oidc.use([
    { ...issuer.config, name: 'a', maximumAgeSeconds: 60 },
    { ...issuer.config, name: 'b', audience: 'https://b.example.org' },
  ]);
  await refusal(oidc.verify(ofA), /at most 60 s/);
  assert.equal(oidc.verify(ofB), verified);
  oidc.use([]);
  await refusal(oidc.verify(ofB), /is not one of this server/);
  assert.equal(issuer.asked.filter((path) => path === '/keys').length, 1);
});

test('a token of which any one character is another is refused, or says the same', async () => {
  const oidc = open();
  const token = await issuer.sign({ role: 'reader' });
  const { claims } = await oidc.verify(token);
  let refusals = 0;
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === 'A' ? 'B' : 'A';
    try {
      assert.deepEqual((await oidc.verify(`${token.slice(0, at)}${other}${token.slice(at + 1)}`)).claims, claims);
    } catch (error) {
      assert.ok(isArtifactstoreError(error, 'unauthorized'), String(error));
      refusals++;
    }
  }
  // The last character of a part may have bits that mean nothing.
  assert.ok(refusals >= token.length - 3, `${refusals} of ${token.length}`);
  // A signature of zeros passes where nobody looks whether its numbers are in range (CVE-2022-21449).
  const [head, body] = token.split('.');
  for (const zeros of [Buffer.alloc(64), Buffer.from('3006020100020100', 'hex')])
    await refusal(oidc.verify(`${head}.${body}.${zeros.toString('base64url')}`), /signature does not match/);
});

test('every algorithm of the list is one that works', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const curves = [
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
  ] as const;
  const pairs = [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => ({ alg, ...rsa })),
    ...curves.map(([alg, namedCurve]) => ({ alg, ...generateKeyPairSync('ec', { namedCurve }) })),
    ...['EdDSA', 'Ed25519'].map((alg) => ({ alg, ...generateKeyPairSync('ed25519') })),
  ];
  assert.deepEqual(
    pairs.map(({ alg }) => alg),
    [...signingAlgorithms],
  );
  issuer.keys = await Promise.all(
    pairs.map(async ({ alg, publicKey, privateKey }) => ({
      publicKey,
      privateKey,
      published: { ...(await exportJWK(publicKey)), alg, kid: alg },
    })),
  );
  const oidc = open({ algorithms: signingAlgorithms });
  for (const key of issuer.keys) assert.equal((await oidc.verify(await issuer.sign({}, {}, key))).issuer, 'ci', key.published.kid);
});
