import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createOidc } from '../../src/identity/oidc/verifier.ts';
import { openIdentity } from '../../src/identity/open.ts';
import { type OpenAccessFile, openAccessFile } from '../../src/identity/open-access-file.ts';
import { allows } from '../../src/kernel/access.ts';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import { audience, startTestIssuer, type TestIssuer } from './oidc/test-issuer.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the access file', () => {
  let folder: string;
  let path: string;
  let issuer: TestIssuer;
  let refused: string[];
  const oidc = createOidc({ now: Date.now });

  const issuerTable = () => `[issuers.ci]\nissuer = "${issuer.url}"\naudience = "${audience}"\nalgorithms = ["ES256"]\n`;
  const jobs = `
[[grants]]
issuer = "ci"
claims = { repository_id = "12" }
actor = "ci:{repository_id}@{ref}"
role = "writer"
producers = ["acme-app"]
[[grants]]
issuer = "ci"
claims = { owner_id = "7" }
actor = "ci:owner {owner_id}"
role = "reader"
producers = ["acme-*"]
[[grants]]
issuer = "ci"
claims = { owner_id = "8", team = "dev" }
actor = "ci:dev"
role = "reader"
producers = ["acme-*"]
`;
  const tokens = `
[[grants]]
token_sha256 = "${sha256('file-token')}"
actor = "backup"
role = "reader"
producers = ["*"]
[[grants]]
token_sha256 = "${sha256('file-token').toUpperCase()}"
actor = "backup"
role = "keeper"
producers = ["acme-app"]
[[grants]]
anonymous = true
role = "reader"
producers = ["public-*"]
[quotas.acme-app]
maximum_packages = 3
`;
  const open = (text: string, serverTokens: readonly string[] = []): Promise<OpenAccessFile> => {
    writeFileSync(path, text);
    const parts = { oidc, serverTokens: new Set(serverTokens.map(sha256)) };
    return openAccessFile({ path, pollMilliseconds: 3_600_000, onRefused: ({ message }) => void refused.push(message) }, parts);
  };
  const replace = async (file: OpenAccessFile, text: string): Promise<void> => {
    writeFileSync(path, text);
    await file.look();
    await file.look();
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'artifactstore-access-'));
    path = join(folder, 'access.toml');
    issuer = await startTestIssuer(Date.now);
  });
  beforeEach(() => {
    refused = [];
  });
  after(async () => {
    await oidc.close();
    await issuer[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test('knows its tokens by their digests; their grants add up', async () => {
    await using file = await open(tokens);
    const known = file.identify('file-token');
    assert.ok(known !== undefined && !(known instanceof Promise));
    const { principal, by, expiresAt } = known;
    assert.deepEqual([principal.actor, by, expiresAt], ['backup', 'token of the access file', null]);
    assert.ok(allows(principal, 'read', 'any') && allows(principal, 'keep', 'acme-app'));
    assert.ok(!allows(principal, 'keep', 'any') && !allows(principal, 'write', 'acme-app') && !allows(principal, 'administer'));
    assert.equal(file.identify('file-token'), known);
    for (const other of ['file-toke', sha256('file-token'), '', 'a.b.c']) assert.equal(file.identify(other), undefined, other);
    assert.deepEqual(file.anonymous, [{ role: 'reader', producers: [{ glob: 'public-*' }] }]);
    assert.deepEqual([file.quotaOf('acme-app')?.maximum_packages, file.quotaOf('acme')], [3, undefined]);
  });

  test('tells tokens apart whose digests begin with the same bytes', async () => {
    const [known, other] = ['token-6170', 'token-44637'] as const;
    assert.equal(sha256(known).slice(0, 8), sha256(other).slice(0, 8));
    await using file = await open(tokens.replaceAll(sha256('file-token'), sha256(known)));
    assert.ok(file.identify(known) !== undefined);
    assert.equal(file.identify(other), undefined);
  });

  test('gives a job what its claims are granted, under the actor of the first grant that holds', async () => {
    await using file = await open(issuerTable() + jobs + tokens);
    const token = await issuer.sign({ repository_id: '12', owner_id: '7', ref: 'main' });
    const first = await file.identify(token);
    assert.deepEqual([first?.principal.actor, first?.by], ['ci:12@main', 'issuer ci']);
    assert.ok(allows(first!.principal, 'write', 'acme-app') && allows(first!.principal, 'read', 'acme-other'));
    assert.ok(!allows(first!.principal, 'write', 'acme-other') && !allows(first!.principal, 'read', 'public-x'));
    assert.ok(first!.expiresAt! > Date.now());
    // Known from now on, at once, and as the same principal.
    assert.equal(file.identify(token), first);
    const owner = await file.identify(await issuer.sign({ owner_id: '7' }));
    assert.equal(owner?.principal.actor, 'ci:owner 7');
  });

  test('forbids a job that has no grant, and one whose actor cannot be made, and says why', async () => {
    await using file = await open(issuerTable() + jobs);
    const forbidden = async (claims: Record<string, unknown>, why: RegExp) => {
      const token = await issuer.sign(claims);
      await assert.rejects(
        async () => await file.identify(token),
        (error) =>
          isArtifactstoreError(error, 'forbidden') &&
          why.test(error.message) &&
          !error.message.includes(token) &&
          /access check/.test(`${error.info?.hint}`),
      );
    };
    const refused = await issuer.sign({ repository_id: '14' });
    const again = async (): Promise<unknown> => await Promise.resolve(file.identify(refused)).catch((error: unknown) => error);
    const first = await again();
    assert.throws(
      () => file.identify(refused),
      (error) => error === first,
      'what was looked for once is kept',
    );
    await forbidden({ repository_id: '13' }, /is valid, and no grant of the access file holds for it/);
    await forbidden({ repository_id: 12, ref: 'main' }, /no grant/);
    await forbidden({ owner_id: '8', team: 'ops' }, /no grant/);
    await forbidden({ repository_id: '12' }, /has no text or number in the claim "ref", of which the grant at line 6 makes the actor/);
  });

  test('tells nobody whose token is not verified what the file has of its issuer, nor why its keys are not known', async () => {
    await using away = await startTestIssuer(Date.now);
    await using file = await open(issuerTable().replaceAll(issuer.url, away.url) + jobs);
    const token = await away.sign({ repository_id: '12', ref: 'main' });
    const [, payload] = token.split('.');
    const unsigned = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${payload}.`;
    const refusal = async (text: string, code: ErrorCode): Promise<unknown> => {
      const error: unknown = await Promise.resolve(file.identify(text)).catch((error: unknown) => error);
      assert.ok(isArtifactstoreError(error, code));
      assert.doesNotMatch(JSON.stringify([error.message, error.info]), /"ci|ES256|listens/);
      return error.cause;
    };
    await refusal(unsigned, 'unauthorized');
    await away.down();
    const cause = await refusal(token, 'identity_unavailable');
    assert.match(cause instanceof Error ? cause.message : '', /issuer "ci" can't be had now: nothing listens there/);
  });

  test('takes a grant away from who was known before, at once', async () => {
    await using file = await open(issuerTable() + jobs + tokens);
    const token = await issuer.sign({ repository_id: '12', ref: 'main' });
    await file.identify(token);
    assert.ok(file.identify('file-token') !== undefined && file.anonymous.length === 1);
    await replace(file, issuerTable() + jobs.replace('"12"', '"99"'));
    assert.throws(
      () => file.identify(token),
      (error) => isArtifactstoreError(error, 'forbidden'),
    );
    assert.equal(file.identify('file-token'), undefined);
    assert.deepEqual([file.anonymous, file.quotaOf('acme-app')], [[], undefined]);
    await replace(file, '# nobody');
    assert.equal(file.identify(token), undefined);
  });

  test('goes by what is in force when an issuer has answered, not when it was asked', async () => {
    await using file = await open(issuerTable() + jobs);
    const { url } = issuer;
    await using slow = await startTestIssuer(Date.now);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    slow.instead = async (request, response) => {
      asked.resolve();
      await answer.promise;
      const keys = { keys: slow.keys.map(({ published }) => published) };
      const body = request.url === '/keys' ? keys : { issuer: slow.url, jwks_uri: `${slow.url}/keys` };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const both = (ci: string, other: string) =>
      issuerTable().replace(url, ci) + issuerTable().replace('[issuers.ci]', '[issuers.other]').replace(url, other) + jobs;
    await replace(file, both(slow.url, url));
    const identified = file.identify(await slow.sign({ owner_id: '7' }));
    await asked.promise;
    // The two have changed their names by then.
    const refusal = assert.rejects(
      async () => await identified,
      (error) => isArtifactstoreError(error, 'unauthorized'),
    );
    await replace(file, both(url, slow.url));
    answer.resolve();
    await refusal;
  });

  test('keeps what is in force when a worse version comes, and says so', async () => {
    await using file = await open(issuerTable() + jobs + tokens);
    await replace(file, tokens.replace('"keeper"', '"keper"'));
    assert.match(refused.join(), /line 10, column 8: role must be one of .* did you mean keeper/);
    assert.match(`${file.status().refused}`, /is wrong: line 10, column 8: role must be/);
    assert.ok(file.identify('file-token') !== undefined);
    await replace(file, '');
    assert.match(`${file.status().refused}`, /the file is empty/);
    assert.ok(file.identify('file-token') !== undefined);
  });

  test('is refused where it has a token that may do everything already', async () => {
    await assert.rejects(open(tokens, ['file-token']), (error) => {
      assert.ok(isArtifactstoreError(error, 'invalid_configuration'));
      assert.match(error.message, /in 2 places:\n {2}line 2, column 3: this is a token of ARTIFACTSTORE_AUTH_TOKENS/);
      return true;
    });
  });

  test('stands beside the tokens of the server', async () => {
    writeFileSync(path, issuerTable() + jobs + tokens);
    await using identity = await openIdentity({ tokens: [{ token: 'server-token', actor: 'root' }], accessFile: { path } });
    assert.ok(allows((await identity.identify('server-token')).principal, 'administer'));
    assert.equal((await identity.identify('file-token')).principal.actor, 'backup');
    assert.equal((await identity.identify(await issuer.sign({ owner_id: '7' }))).principal.actor, 'ci:owner 7');
    assert.throws(
      () => identity.identify('nobody'),
      (error) => isArtifactstoreError(error, 'unauthorized'),
    );
    assert.deepEqual([identity.anonymous.length, identity.quotaOf('acme-app')?.maximum_packages, identity.status()?.refused], [1, 3, null]);
    writeFileSync(path, 'nonsense');
    await assert.rejects(openIdentity({ tokens: [], accessFile: { path } }), (error) =>
      isArtifactstoreError(error, 'invalid_configuration'),
    );
  });
});
