import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { exportJWK } from 'jose';
import type { IssuerConfig } from '../../../src/identity/oidc/issuer-config.ts';
import { createOidc } from '../../../src/identity/oidc/verifier.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { localhostCertificate } from '../../stores/certificate.ts';
import { endsWith, startTestIssuer, type TestIssuer } from './test-issuer.ts';

let issuer: TestIssuer;
before(async () => {
  issuer = await startTestIssuer(Date.now);
});
after(() => issuer[Symbol.asyncDispose]());
beforeEach(() => {
  issuer.instead = undefined;
});

/** What comes of a good token when its keys are asked for now, for the first time. */
async function outcome(config: Partial<IssuerConfig> = {}, claims = {}, timeoutMilliseconds = 10_000): Promise<string> {
  const oidc = createOidc({ now: Date.now, timeoutMilliseconds });
  oidc.use([{ ...issuer.config, ...config }]);
  try {
    return `verified by ${(await oidc.verify(await issuer.sign(claims))).issuer}`;
  } catch (error) {
    assert.ok(isArtifactstoreError(error), String(error));
    return `${error.code}: ${error.message}`;
  } finally {
    await oidc.close();
  }
}

function keysText(): string {
  return JSON.stringify({ keys: issuer.keys.map(({ published }) => published) });
}

test('keys are read at the address of the table, without discovery', async () => {
  issuer.asked.length = 0;
  assert.equal(await outcome({ jwksUrl: `${issuer.url}/keys` }), 'verified by ci');
  assert.deepEqual(issuer.asked, ['/keys']);
});

test('keys of another address or authority are read where the table says so, and those from before do not count', async () => {
  await using elsewhere = await startTestIssuer(Date.now);
  const oidc = createOidc({ now: Date.now });
  const jwksUrl = `${issuer.url}/keys`;
  oidc.use([{ ...issuer.config, jwksUrl }]);
  const token = await issuer.sign();
  await oidc.verify(token);
  oidc.use([{ ...issuer.config, jwksUrl: `${elsewhere.url}/keys` }]);
  await endsWith(oidc.verify(token), 'unauthorized', /publishes no key of the name/);
  assert.deepEqual(elsewhere.asked, ['/keys']);
  oidc.use([{ ...issuer.config, jwksUrl }]);
  await oidc.verify(token);
  oidc.use([{ ...issuer.config, jwksUrl, caFile: '/dev/null' }]);
  await endsWith(oidc.verify(token), 'identity_unavailable', /ca_file has no certificate/);
});

test('an answer that is large, slow, a redirect, an error or something else is not known to be anything', async () => {
  await using elsewhere = await startTestIssuer(Date.now);
  const good = Buffer.from(keysText());
  const cases: readonly (readonly [what: string, answer: NonNullable<TestIssuer['instead']>, expected: RegExp])[] = [
    ['10 MB', (_, response) => response.end(`{"keys":[],"padding":"${'x'.repeat(10_000_000)}"}`), /longer than 262144 bytes/],
    [
      '10 MB, no length',
      (_, response) => {
        response.write('{"keys":[],"padding":"');
        response.end('x'.repeat(10_000_000));
      },
      /longer than 262144 bytes/,
    ],
    ['silent', () => undefined, /did not answer in time/],
    ['slow', (_, response) => void response.write(good.subarray(0, 20)), /did not answer in time/],
    ['cut', (_, response) => response.writeHead(200, { 'content-length': 999 }).write(good, () => response.destroy()), /cut/],
    [
      'redirect',
      (_, response) => response.writeHead(302, { location: `${elsewhere.url}/keys` }).end(),
      /its keys were answered with the status 302, a redirect, which is not followed/,
    ],
    ['error', (_, response) => response.writeHead(500).end(good), /the status 500/],
    ['not found', (_, response) => response.writeHead(404).end(), /the status 404/],
    ['page', (_, response) => response.end('<html>'), /not good JSON/],
    ['twice', (_, response) => response.end(`{"keys":[],${keysText().slice(1)}`), /not good JSON/],
    ['a list', (_, response) => response.end('[]'), /not a JSON object/],
    ['no keys', (_, response) => response.end('{}'), /no set of keys/],
    ['keys of text', (_, response) => response.end('{"keys":["a"]}'), /no set of keys/],
    ['too many', (_, response) => response.end(JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })), /more than 100 keys/],
    ['empty', (_, response) => response.end(), /not good JSON/],
    ['many values', (_, response) => response.end(JSON.stringify({ keys: [], more: new Array(10_000).fill(1) })), /not good JSON/],
  ];
  for (const [what, answer, expected] of cases) {
    issuer.instead = answer;
    const result = await outcome({ jwksUrl: `${issuer.url}/keys` }, {}, /in time/.test(expected.source) ? 200 : undefined);
    assert.match(result, /^identity_unavailable: The keys of the issuer "ci" can't be had now: /, what);
    assert.match(result, expected, what);
  }
  assert.deepEqual(elsewhere.asked, []);
});

test('a discovery document counts only where it is of this issuer, and says where its keys are', async () => {
  const keys = `${issuer.url}/keys`;
  const cases: readonly (readonly [document: unknown, expected: RegExp])[] = [
    [{ issuer: `${issuer.url}/`, jwks_uri: keys }, /of another issuer/],
    [{ issuer: 'https://other.example.org', jwks_uri: keys }, /of another issuer/],
    [{ jwks_uri: keys }, /of another issuer/],
    [{ issuer: issuer.url }, /does not say where its keys are/],
    [{ issuer: issuer.url, jwks_uri: ['x'] }, /does not say where its keys are/],
    [{ issuer: issuer.url, jwks_uri: 'http://id.example.org/keys' }, /address of its keys .* must begin with https/],
    [{ issuer: issuer.url, jwks_uri: 'file:///etc/passwd' }, /must begin with https/],
  ];
  for (const [document, expected] of cases) {
    issuer.instead = (request, response) => response.end(request.url === '/keys' ? keysText() : JSON.stringify(document));
    assert.match(await outcome(), expected);
  }
  issuer.instead = (request, response) =>
    response.end(request.url === '/keys' ? keysText() : JSON.stringify({ issuer: issuer.url, jwks_uri: keys }));
  assert.equal(await outcome(), 'verified by ci');
});

test('over https only the authority of ca_file counts, and it is read each time', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'artifactstore-oidc-'));
  const [right, wrong, bad] = ['right.pem', 'wrong.pem', 'bad.pem'].map((name) => join(folder, name));
  assert.ok(right !== undefined && wrong !== undefined && bad !== undefined);
  const own = localhostCertificate();
  await Promise.all([writeFile(right, own.cert), writeFile(wrong, localhostCertificate().cert), writeFile(bad, 'no certificate\n')]);
  let keysUrl = '';
  const server = createTlsServer(own, (request, response) =>
    response.end(request.url === '/keys' ? keysText() : JSON.stringify({ issuer: url, jwks_uri: keysUrl })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  keysUrl = `${url}/keys`;
  const by = (config: Partial<IssuerConfig>): Promise<string> => outcome({ issuer: url, ...config }, { iss: url });

  assert.equal(await by({ caFile: right }), 'verified by ci');
  assert.match(await by({ caFile: wrong }), /^identity_unavailable: .* its certificate is self-signed or comes from an authority/);
  assert.match(await by({}), /^identity_unavailable: .* its certificate is self-signed/);
  assert.match(await by({ caFile: bad }), /its ca_file has no certificate in PEM form/);
  const pipe = join(folder, 'pipe.pem');
  execFileSync('mkfifo', [pipe]);
  assert.match(await by({ caFile: pipe }), /its ca_file has no certificate in PEM form/);
  assert.match(await by({ caFile: '/dev/zero' }), /its ca_file is longer than 1048576 bytes/);
  assert.match(await by({ caFile: join(folder, 'missing.pem') }), /its ca_file can't be read \(it is not there \(ENOENT\)\)/);
  // From https to http, even in this machine, is a step down.
  keysUrl = `${issuer.url}/keys`;
  assert.match(await by({ caFile: right }), /comes over https, and says that its keys do not/);
});

test('keys that can be broken, that sign for others, or that are known to all are not used', async () => {
  const [good] = issuer.keys;
  assert.ok(good !== undefined);
  const weak = generateKeyPairSync('rsa', { modulusLength: 512 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const cases: readonly (readonly [published: object, algorithms: IssuerConfig['algorithms'], expected: RegExp])[] = [
    [{ ...(await exportJWK(weak.publicKey)), alg: 'RS256' }, ['RS256'], /the key that signed it is RSA of 512 bits/],
    [{ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1025, 0xff).toString('base64url') }, ['RS256'], /is RSA of 8200 bits, and at most 8192/],
    [{ ...good.published, ...(await exportJWK(good.privateKey)) }, ['ES256'], /is published with its private part/],
    [{ kty: 'oct', k: 'c2VjcmV0', alg: 'ES256' }, ['ES256'], /is no public key/],
    [{ ...good.published, use: 'enc' }, ['ES256'], /is not for signatures/],
    [{ ...good.published, key_ops: ['sign'] }, ['ES256'], /publishes no key/],
    [{ ...good.published, alg: 'ES384' }, ['ES256'], /publishes no key/],
    [{ ...(await exportJWK(curve.publicKey)), alg: 'ES256' }, ['ES256'], /publishes no key/],
    [{ ...good.published, x: 'AAAA' }, ['ES256'], /the key that it names is not a good one/],
    [{ ...good.published, x: undefined }, ['ES256'], /the key that it names is not a good one/],
  ];
  for (const [published, algorithms, expected] of cases) {
    const { kid } = good.published;
    issuer.instead = (_, response) => response.end(JSON.stringify({ keys: [{ ...published, kid }] }));
    const oidc = createOidc({ now: Date.now });
    oidc.use([{ ...issuer.config, jwksUrl: `${issuer.url}/keys`, algorithms }]);
    const [, body] = (await issuer.sign()).split('.');
    const head = Buffer.from(JSON.stringify({ alg: algorithms[0], kid })).toString('base64url');
    await endsWith(oidc.verify(`${head}.${body}.AAAA`), 'unauthorized', expected);
  }
  // One bad key among good ones does no harm.
  issuer.instead = (_, response) =>
    response.end(
      JSON.stringify({ keys: [{ kty: 'new kind' }, { kty: 'oct', kid: 'x' }, { ...good.published, x5c: ['x'], x5u: 'http://x' }] }),
    );
  assert.equal(await outcome({ jwksUrl: `${issuer.url}/keys` }), 'verified by ci');
});
