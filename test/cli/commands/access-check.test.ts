import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { audience, startTestIssuer, type TestIssuer } from '../../identity/oidc/test-issuer.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

describe('access check', () => {
  let place: Workplace;
  let issuer: TestIssuer;

  before(async () => {
    issuer = await startTestIssuer(Date.now);
    place = openWorkplace();
    place.write({
      'access.toml': `[issuers.ci]
issuer = "${issuer.url}"
audience = "${audience}"
algorithms = ["ES256"]
single_use = true
[[grants]]
issuer = "ci"
claims = { repository_id = "12", ref = ["main", { glob = "v*" }] }
actor = "ci:app@{ref}"
role = "writer"
producers = ["app"]
[[grants]]
issuer = "ci"
claims = { "/owner/id" = 7 }
actor = "ci:owner {name}"
role = "reader"
producers = ["app", "lib-*"]
[[grants]]
token_sha256 = "${createHash('sha256').update('opaque-token').digest('hex')}"
actor = "backup"
role = "admin"
`,
      'job.json': '{"repository_id":"12","ref":"v2","owner":{"id":8}}',
      'stranger.json': '{"repository_id":"12","ref":"feature\\u202e","owner":{"id":"7"}}',
    });
  });
  after(async () => {
    place[Symbol.dispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const withToken = async (token: string, ...more: readonly string[]) => {
    place.write({ token: `${token}\n` });
    chmodSync(place.path('token'), 0o600);
    const finished = await place.run('access', 'check', '--file', 'access.toml', '--token-file', 'token', ...more);
    assert.ok(!(finished.stdout + finished.stderr).includes(token), 'the token is never shown');
    return finished;
  };

  test('says that a file is right, or everything that is wrong with it', async () => {
    const right = await place.run('access', 'check', '--file', 'access.toml');
    assert.deepEqual([right.code, right.stderr], [0, '']);
    chmodSync(place.path('access.toml'), 0o646);
    const open = await place.run('access', 'check', '--file', 'access.toml');
    assert.equal(open.code, 0);
    assert.match(open.stderr, /^warning: line 1, column 1: everybody on this machine may change the file: a server refuses it here/);
    chmodSync(place.path('access.toml'), 0o644);
    assert.match(right.stdout, /^right .*access\.toml: 1 issuer, 3 grants, 0 quotas\n$/);
    place.write({ 'wrong.toml': '[[grants]]\nrole = "writr"\n[quotas.a]\n' });
    const wrong = await place.run('access', 'check', '--file', 'wrong.toml');
    assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /is wrong in 4 places:\n {2}line 1, column 3: .*\n {2}line 1, column 3: .*\n {2}line 2, column 8: .*writer/);
    const json = await place.run('access', 'check', '--file', 'wrong.toml', '--json');
    const { code, info } = JSON.parse(json.stderr) as { code: string; info: { problems: readonly unknown[] } };
    assert.deepEqual([code, info.problems.length], ['invalid_configuration', 4]);
  });

  test('a server does not start with a wrong file, and says the same', async () => {
    using wrong = openWorkplace({ ARTIFACTSTORE_ACCESS_CONFIG_PATH: 'wrong.toml' });
    wrong.write({ 'wrong.toml': '[[grants]]\nrole = "writr"\n' });
    const [served, checked] = [await wrong.run('serve', '--port', '0'), await wrong.run('access', 'check')];
    assert.deepEqual([served.code, served.stdout], [2, '']);
    assert.match(served.stderr, /wrong\.toml" is wrong in 3 places:.*did you mean writer/s);
    assert.equal(served.stderr, checked.stderr);
  });

  test('says of claims which grants hold, what was wanted and got, and what they allow', async () => {
    const { code, stdout, stderr } = await place.run('access', 'check', '--file', 'access.toml', '--claims', 'job.json');
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      stdout.slice(stdout.indexOf('\n') + 1),
      `ci:app@v2, issuer ci

GRANT            HOLDS  CLAIM          WANTED               GOT
line 6, writer   yes    repository_id  "12"                 "12"
                 yes    ref            "main" or glob "v*"  "v2"
line 12, reader  no     /owner/id      7                    8

RIGHT  PRODUCERS
read   app
write  app
`,
    );
    const { principal } = await place.json<{ principal: { actor: string; may: unknown } }>(
      'access',
      'check',
      '--file',
      'access.toml',
      '--claims',
      'job.json',
    );
    assert.equal(principal.actor, 'ci:app@v2');
    assert.deepEqual(principal.may, [
      { right: 'read', producers: ['app'] },
      { right: 'write', producers: ['app'] },
    ]);
  });

  test('ends with 1 where nothing is allowed, and names the nearest grant', async () => {
    const { code, stdout, stderr } = await place.run('access', 'check', '--file', 'access.toml', '--claims', 'stranger.json');
    assert.equal(code, 1);
    assert.match(stdout, /^nobody, issuer ci$/m);
    assert.match(stdout, /^line 6, writer +yes +repository_id .*\n +no +ref +"main" or glob "v\*" +"feature\ufffd"$/m);
    assert.match(stdout, /^line 12, reader +no +\/owner\/id +7 +"7"$/m);
    assert.match(stdout, /\nmay do nothing\n$/);
    assert.match(stderr, /^error: No grant of the issuer "ci" holds\. \(forbidden\)\nhint: the nearest is at line 6; it misses ref\n$/);
  });

  test('explains a token without asking anybody, and verifies it when it is to', async () => {
    const token = await issuer.sign({ repository_id: '12', ref: 'main', owner: { id: 7 } });
    issuer.asked.length = 0;
    const offline = await withToken(token);
    assert.equal(offline.code, 0, offline.stderr);
    assert.match(offline.stdout, /^ci:app@main, issuer ci$/m);
    assert.match(offline.stdout, /^read +app, lib-\*$/m);
    assert.deepEqual(issuer.asked, []);
    // Twice: a check does not use up a token that counts once.
    for (const _ of [1, 2]) assert.match((await withToken(token, '--verify')).stdout, /^ci:app@main, issuer ci, signature verified$/m);
    const forged = `${token.slice(0, token.lastIndexOf('.') + 1)}${'A'.repeat(86)}`;
    assert.equal((await withToken(forged)).code, 0);
    const { code, stderr } = await withToken(forged, '--verify');
    assert.equal(code, 1);
    assert.match(stderr, /signature.*\(unauthorized\)/);
  });

  test('says why a server would refuse a token that has grants', async () => {
    const second = Math.floor(Date.now() / 1000);
    for (const [claims, why] of [
      [{ iat: second - 700, nbf: second - 700, exp: second - 100 }, /refused it expired at .*Z, and it is/],
      [
        { aud: 'https://elsewhere.example' },
        /refused its audience \("aud"\) is "https:\/\/elsewhere.example", and has to be "https:\/\/artifacts/,
      ],
      [{ iat: second, exp: second + 7_200 }, /refused from "iat" to "exp" it lives 7200 s/],
    ] as const) {
      const { code, stdout, stderr } = await withToken(await issuer.sign({ repository_id: '12', ref: 'main', ...claims }));
      assert.equal(code, 1);
      assert.match(stdout, why);
      assert.match(stdout, /line 6, writer +yes +repository_id.*may do nothing/s);
      assert.match(stderr, /^error: A server would refuse the token: .*\(unauthorized\)\nhint: correct what asks/);
    }
    const nameless = await withToken(await issuer.sign({ owner: { id: 7 } }));
    assert.match(nameless.stdout, /refused it has no text or number in the claim "name", of which the grant at line 12 makes the actor/);
    const other = await withToken(await issuer.sign({ iss: `${issuer.url}/` }));
    assert.match(
      other.stderr,
      /The issuer "http.*\/" is not in the access file: the file has "http.*"\..*\nhint: it must be the same to the last character/,
    );
  });

  test('knows a token of the file by its digest, and none that is not', async () => {
    const { code, stdout } = await withToken('opaque-token');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /\nbackup, token of the access file\n.*line 18, admin +yes\n\nRIGHT +PRODUCERS\nread +\*\nwrite +\*\nkeep +\*\nobserve\nadminister\n$/s,
    );
    const { code: failed, stderr } = await withToken('some-other-token');
    assert.equal(failed, 1);
    assert.match(stderr, /none of the access file.*\(unauthorized\)\nhint: a token of ARTIFACTSTORE_AUTH_TOKENS is not in the file/);
  });

  test('shows the claims of a token where there is no access file, and refuses what it cannot read', async () => {
    const token = await issuer.sign({ repository_id: '12', ref: 'main' });
    place.write({ token, exposed: token, empty: '\n', 'list.json': '[1]' });
    chmodSync(place.path('token'), 0o600);
    chmodSync(place.path('exposed'), 0o644);
    chmodSync(place.path('empty'), 0o600);
    const { claims } = await place.json<{ claims: { repository_id: string } }>('access', 'check', '--token-file', 'token');
    assert.equal(claims.repository_id, '12');
    const { stdout } = await place.run('access', 'check', '--token-file', 'token');
    assert.equal((JSON.parse(stdout) as typeof claims).repository_id, '12');
    assert.ok(token.split('.').every((part) => !stdout.includes(part)));
    for (const [args, code, why] of [
      [[], 2, /There is no access file to check.*\(invalid_configuration\)\nhint: name it with --file/],
      [['--file', 'absent.toml'], 2, /absent\.toml" can't be read: it is not there/],
      [['--file', 'access.toml', '--token-file', 'empty'], 2, /is empty.*\nhint: look at what writes it/],
      [['--file', 'access.toml', '--token-file', 'exposed'], 1, /exposed may be read by everybody .*run chmod 600/],
      [['--file', 'access.toml', '--claims', 'list.json'], 2, /is not a JSON object of claims/],
      [['--file', 'access.toml', '--claims', 'access.toml'], 2, /access\.toml" is not a JSON object of claims\. .*malformed/],
      [['--file', 'access.toml', '--claims', 'job.json', '--token-file', 'token'], 2, /cannot be used with/],
      [['--file', 'access.toml', '--verify'], 2, /goes with '--token-file' only/],
    ] as const) {
      const finished = await place.run('access', 'check', ...args);
      assert.equal(finished.code, code, finished.stderr);
      assert.match(finished.stderr, why);
    }
  });
});
