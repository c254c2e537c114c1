import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccessFile } from '../../src/identity/access-file/read.ts';
import { explainClaims, explainToken } from '../../src/identity/explain.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { compact } from './oidc/test-issuer.ts';

const issuer = (name: string, audience: string) => `[issuers.${name}]\nissuer = "https://own.example"\naudience = "${audience}"\n`;
const grant = (of: string, claims: string, role: string) =>
  `[[grants]]\nissuer = "${of}"\nclaims = { ${claims} }\nactor = "ci"\nrole = "${role}"\nproducers = ["p"]\n`;

function fileOf(text: string) {
  const read = readAccessFile(Buffer.from(text));
  assert.ok('file' in read);
  return read.file;
}

test('a sample of claims needs no issuer where there is one only, and no times', () => {
  const file = fileOf(issuer('a', 'x') + grant('a', 'id = "1"', 'reader'));
  assert.deepEqual(explainClaims(file, { id: '1' }).may, [{ right: 'read', producers: ['p'] }]);
  assert.equal(explainClaims(file, { id: '1', iat: 100 }).refused, null);
  assert.match(
    `${explainClaims(file, { id: '1', iat: 100, exp: 10_000 }).refused}`,
    /^from "iat" to "exp" it lives 9900 s, .*issuer "a"\)$/,
  );
  assert.match(`${explainClaims(file, { id: '1', aud: 'y' }).refused}`, /^its audience .* has to be "x" alone$/);
  assert.throws(
    () => explainClaims(file, { iss: 'https://own.example/' }),
    /The issuer "https:\/\/own.example\/" is not in the access file: the file has/,
  );
  assert.throws(
    () => explainClaims(fileOf('# none'), {}),
    (error) => isArtifactstoreError(error, 'unauthorized') && /has none/.test(error.message),
  );
});

test('of two tables with one issuer, that of the audience counts', () => {
  const file = fileOf(issuer('a', 'x') + issuer('b', 'y') + grant('a', 'id = "1"', 'reader') + grant('b', 'id = "1"', 'writer'));
  const by = (aud: string) => explainClaims(file, { iss: 'https://own.example', aud, id: '1' });
  assert.deepEqual([by('x').by, by('y').by], ['issuer a', 'issuer b']);
  const rights = (aud: string) => by(aud).may.map(({ right }) => right);
  assert.deepEqual([rights('x'), rights('y')], [['read'], ['read', 'write']]);
  assert.match(`${by('z').refused}`, /has to be "x" alone/);
  assert.throws(() => explainClaims(file, { id: '1' }), /do not say whose they are/);
});

test('grants that hold come first, then those that miss the fewest claims', () => {
  const file = fileOf(
    issuer('a', 'x') +
      grant('a', 'id = "2", ref = "v"', 'reader') +
      grant('a', 'id = "1", ref = "v"', 'writer') +
      grant('a', 'id = "1"', 'keeper'),
  );
  const { grants, may } = explainClaims(file, { id: '1', ref: 'w' });
  assert.deepEqual(
    grants.map(({ line, holds }) => [line, holds]),
    [
      [16, true],
      [10, false],
      [4, false],
    ],
  );
  assert.deepEqual(
    may.map(({ right }) => right),
    ['read', 'keep'],
  );
});

test('what is no token of anybody is refused', () => {
  assert.throws(
    () => explainToken(fileOf('# none'), 'opaque', 0),
    (error) => isArtifactstoreError(error, 'unauthorized'),
  );
});

test('a token is refused as a server would refuse it: by its algorithm, and by what it claims', () => {
  const file = fileOf(issuer('a', 'x') + grant('a', 'id = "1"', 'reader'));
  const claims = { iss: 'https://own.example', aud: 'x', id: '1', iat: 1_000, exp: 1_600 };
  const refusedAt = (alg: string, now: number) => explainToken(file, compact({ alg }, claims), now).refused;
  assert.equal(refusedAt('RS256', 1_100_000), null);
  for (const alg of ['none', 'HS256', 'ES256'])
    assert.equal(refusedAt(alg, 1_100_000), `it is signed with "${alg}", and the issuer may use RS256 only`);
  assert.match(`${refusedAt('RS256', 1_600_000)}`, /^it expired at/);
});

test('what everybody may do is added where a grant holds, as a server does', () => {
  const everybody = '[[grants]]\nanonymous = true\nrole = "reader"\nproducers = ["public-*"]\n';
  const file = fileOf(issuer('a', 'x') + grant('a', 'id = "1"', 'writer') + everybody);
  assert.deepEqual(explainClaims(file, { id: '1' }).may, [
    { right: 'read', producers: ['p', 'public-*'] },
    { right: 'write', producers: ['p'] },
  ]);
  assert.deepEqual(explainClaims(file, { id: '2' }).may, []);
});
