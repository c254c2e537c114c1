import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accessFileError } from '../../../src/identity/access-file/findings.ts';
import { readAccessFile } from '../../../src/identity/access-file/read.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { badClaims, badConsoles, badFiles, badGrants, badIssuers, badPairs, badQuotas, goodPairs } from './bad-files.ts';

const good = `
[issuers.github]
issuer = "https://token.actions.githubusercontent.com"
audience = "https://artifacts.example.org"
maximum_age_seconds = 600

[[grants]]
issuer = "github"
claims = { repository_id = "12345", ref = ["refs/heads/main", { glob = "refs/tags/*" }] }
actor = "github:acme/app@{ref}"
role = "writer"
producers = ["acme-app", "acme-app-*"]

[[grants]]
token_sha256 = "${'A'.repeat(64)}"
actor = "backup"
role = "admin"

[[grants]]
anonymous = true
role = "reader"
producers = ["public-*"]

[quotas.acme-app]
maximum_bytes = 107374182400
`;

const read = (text: string) => readAccessFile(Buffer.from(text));

function errorsOf(text: string): readonly string[] {
  const result = read(text);
  return 'errors' in result ? result.errors.map(({ line, column, message }) => `${line}:${column} ${message}`) : [];
}

function fileOf(text: string) {
  const result = read(text);
  assert.ok('file' in result, JSON.stringify(result));
  return result.file;
}

/** Each error is one of those that are expected, and each of those is there. */
function assertErrors(text: string, expected: readonly RegExp[], what: string): void {
  const errors = errorsOf(text);
  assert.equal(errors.length, expected.length, `${what}: ${errors.join('\n')}`);
  for (const pattern of expected)
    assert.ok(
      errors.some((error) => pattern.test(error)),
      `${what}: ${pattern} in ${errors.join('\n')}`,
    );
}

const three = `[issuers]
own = { issuer = "https://own.example", audience = "a" }
github = { issuer = "https://token.actions.githubusercontent.com", audience = "a" }
gitlab = { issuer = "https://gitlab.com", audience = "a" }





[[grants]]
`;

describe('an access file', () => {
  test('says who may do what', () => {
    const { issuers, grants, quotas, warnings } = fileOf(good);
    assert.deepEqual(issuers, [
      {
        name: 'github',
        issuer: 'https://token.actions.githubusercontent.com',
        audience: 'https://artifacts.example.org',
        jwksUrl: undefined,
        caFile: undefined,
        algorithms: ['RS256'],
        maximumAgeSeconds: 600,
        singleUse: false,
      },
    ]);
    assert.deepEqual(
      grants.map(({ place, grant, holder }) => [place.line, holder.kind, grant.role, grant.producers]),
      [
        [7, 'issuer', 'writer', [{ exact: 'acme-app' }, { glob: 'acme-app-*' }]],
        [14, 'token', 'admin', [{ glob: '*' }]],
        [19, 'anonymous', 'reader', [{ glob: 'public-*' }]],
      ],
    );
    assert.deepEqual([...quotas], [['acme-app', { maximum_bytes: 107374182400, maximum_packages: null }]]);
    assert.deepEqual(warnings, []);
  });

  test('may be a comment alone, may begin with a mark of UTF-8', () => {
    assert.equal(fileOf('# nobody').grants.length, 0);
    assert.equal(fileOf(`\uFEFF${good}`).grants.length, 3);
  });

  test('is refused when it is too large or not UTF-8, at the line', () => {
    assert.deepEqual(errorsOf(`#${' '.repeat(4_194_304)}`), ['1:1 the file has 4194305 bytes, and at most 4194304 are taken']);
    assert.deepEqual(readAccessFile(Buffer.from('# a\n# \xff\n', 'latin1')), {
      errors: [{ line: 2, column: 1, message: 'this line is not UTF-8: save the file as UTF-8' }],
    });
  });

  for (const [what, text, ...expected] of [...badFiles, ...badQuotas])
    test(`with ${what} is refused`, () => assertErrors(text, expected, what));
  for (const [what, text, ...expected] of badIssuers)
    test(`with an issuer: ${what} is refused`, () => assertErrors(`[issuers.x]\n${text}`, expected, what));
  for (const [what, text, ...expected] of badConsoles)
    test(`with a console: ${what} is refused`, () =>
      assertErrors(`[issuers.x]\nissuer = "https://issuer.example"\naudience = "a"\n[issuers.x.console]\n${text}`, expected, what));
  for (const [what, text, ...expected] of badGrants)
    test(`with a grant: ${what} is refused`, () => assertErrors(`${three}${text}`, expected, what));
  for (const [issuer, claims, expected] of badClaims)
    test(`with claims ${claims} of ${issuer} is refused`, () =>
      assertErrors(
        `${three}issuer = "${issuer}"\nclaims = ${claims}\nactor = "a"\nrole = "reader"\nproducers = ["p"]`,
        [expected],
        claims,
      ));
  for (const [what, first, second, expected] of badPairs)
    test(`with two grants: ${what} is refused, in either order`, () => {
      for (const [a, b] of [
        [first, second],
        [second, first],
      ])
        assertErrors(`${three}issuer = "own"\n${a}\n[[grants]]\nissuer = "own"\n${b}`, [expected], what);
    });
  for (const [what, first, second] of goodPairs)
    test(`with two grants of ${what} is right: they add up`, () =>
      assertErrors(`${three}issuer = "own"\n${first}\n[[grants]]\nissuer = "own"\n${second}`, [], what));

  test('refuses a token under two names, and takes it twice where each grant gives more', () => {
    const grant = (actor: string, role: string) =>
      `[[grants]]\ntoken_sha256 = "${'b'.repeat(64)}"\nactor = "${actor}"\nrole = "${role}"\nproducers = ["p"]\n`;
    assertErrors(grant('x', 'writer') + grant('y', 'keeper'), [/^6:3 .* under another actor/], 'two names');
    assertErrors(grant('x', 'writer') + grant('x', 'reader'), [/^6:3 the grant at line 1 gives all of this already/], 'less');
    assertErrors(grant('x', 'writer') + grant('x', 'keeper'), [], 'more');
  });

  test('refuses two issuers of one address and audience, and takes one address with two', () => {
    const issuer = (name: string, audience: string) => `[issuers.${name}]\nissuer = "https://own.example"\naudience = "${audience}"\n`;
    assertErrors(issuer('a', 'x') + issuer('b', 'x'), [/^4:10 \[issuers.b\] has the issuer and the audience of \[issuers.a\]/], 'twice');
    assertErrors(issuer('a', 'x') + issuer('b', 'y'), [], 'two audiences');
  });

  test('refuses single use where several processes read it: each would count for itself', () => {
    const text = '[issuers.a]\nissuer = "https://own.example"\naudience = "x"\nsingle_use = true\n';
    assert.ok('file' in readAccessFile(Buffer.from(text), 1));
    const read = readAccessFile(Buffer.from(text), 2);
    assert.ok('errors' in read);
    assert.match(read.errors.map(({ line, message }) => `${line} ${message}`).join('\n'), /^4 single_use needs one process.* has 2 /);
  });

  test('is bounded in each of its lists', () => {
    const many = <T>(count: number, of: (number: number) => T): T[] => Array.from({ length: count }, (_, number) => of(number));
    const claims = (text: string) => `${three}issuer = "own"\nclaims = { ${text} }\nactor = "a"\nrole = "reader"\nproducers = ["p"]`;
    const grant = (number: number) =>
      `[[grants]]\ntoken_sha256 = "${`${number}`.padStart(64, '0')}"\nactor = "a"\nrole = "reader"\nproducers = ["p"]\n`;
    const producers = many(1_001, (number) => `"${number}"`).join();
    for (const [text, expected] of [
      [many(10_001, grant).join(''), /there are 10001 grants, and at most 10000/],
      [many(101, (number) => `[issuers.i${number}]\nissuer = "https://own.example"\naudience = "${number}"\n`).join(''), /at most 100 are/],
      [`[[grants]]\nanonymous = true\nrole = "reader"\nproducers = [${producers}]`, /producers must be a list of 1 to 1000 items/],
      [claims(`a = [${producers}]`), /the list of "a" must have 1 to 1000 values/],
      [claims(many(33, (number) => `c${number} = "x"`).join()), /claims must name 1 to 32 claims/],
    ] as const)
      assertErrors(text, [expected], `${expected}`);
  });

  test('says everything that is wrong at once, in the order of the file, and bounds how much of it', () => {
    const text = good.replace('"writer"', '"writr"').replace('"backup"', '""').replace('maximum_bytes', 'maximum_byte');
    assertErrors(text, [/^11:8 role/, /^16:9 actor/, /^24:9 the quota .* says nothing/, /^25:1 "maximum_byte".*mean maximum_bytes/], 'all');
    const result = read(text);
    assert.ok('errors' in result);
    const error = accessFileError('/etc/access.toml', result.errors);
    assert.ok(isArtifactstoreError(error, 'invalid_configuration'));
    assert.match(error.message, /^The access file "\/etc\/access.toml" is wrong in 4 places:\n {2}line 11, column 8: role must be/);
    const many = accessFileError(
      'x',
      Array.from({ length: 1_000 }, () => result.errors[0]!),
    );
    assert.match(many.message, /and 900 more$/);
  });

  test('warns of names where ids are, of an issuer without a grant and of a quota that nobody can fill', () => {
    const byName = good
      .replace('repository_id = "12345"', 'repository = "acme/app", build_kind = "x"')
      .replace(/\[\[grants\]\]\ntoken[^[]*/, '');
    const more = `${byName}\n[quotas.acme-ap]\nmaximum_packages = 1\n[issuers.other]\nissuer = "https://other.example"\naudience = "x"\n`;
    assert.deepEqual(
      fileOf(more).warnings.map(({ line, message }) => `${line} ${message}`),
      [
        '9 names can pass to somebody else, ids never do: bind repository_id or repository_owner_id as well',
        '9 GitHub does not document a claim "build_kind": without it in the token, the grant does not hold',
        '22 no grant lets anybody write for "acme-ap": only tokens of the server do; did you mean acme-app?',
        '24 no grant is for the issuer "other": its tokens may do nothing',
      ],
    );
  });

  test('has room for thousands of grants', () => {
    const grants = Array.from(
      { length: 2_000 },
      (_, n) =>
        `[[grants]]\nissuer = "own"\nclaims = { id = "${n}", ref = "main" }\nactor = "own:{id}"\nrole = "writer"\nproducers = ["p-${n}"]\n`,
    );
    const text = three.replace('[[grants]]\n', grants.join(''));
    assert.equal(fileOf(text).grants.length, 2_000);
  });

  test('compares a bounded number of grants that only patterns tell apart', () => {
    const grants = Array.from({ length: 3_000 }, (_, n) => `[[grants]]\nanonymous = true\nrole = "reader"\nproducers = ["p-${n}-*"]\n`);
    const text = `[[grants]]\nanonymous = true\nrole = "reader"\nproducers = ["p-*"]\n${grants.join('')}`;
    const read = readAccessFile(Buffer.from(text));
    assert.ok('errors' in read && read.errors.length > 50 && read.errors.length < 100);
  });
});

test('a console needs one process, and its tokens count more than once', () => {
  const table = '[issuers.x.console]\nclient_id = "a"\nurl = "https://here.example/artifacts"\nlabel = "Example"\n';
  const file = (more = '') => Buffer.from(`[issuers.x]\nissuer = "https://issuer.example"\naudience = "a"\n${more}${table}`);
  const read = readAccessFile(file());
  assert.ok('file' in read);
  assert.deepEqual(read.file.issuers[0]?.console, {
    url: 'https://here.example/artifacts/',
    clientSecret: undefined,
    scopes: ['openid'],
    label: 'Example',
  });
  for (const [refused, expected] of [
    [readAccessFile(file(), 2), /needs one process, which knows who is signed in, and this server has 2/],
    [readAccessFile(file('single_use = true\n')), /single_use and \[issuers\.x\.console\] exclude each other/],
  ] as const) {
    assert.ok('errors' in refused);
    assert.match(refused.errors.map(({ message }) => message).join('\n'), expected);
  }
});
