import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Identity } from '../../src/identity/IDENTITY.ts';
import { issuerDefaults } from '../../src/identity/oidc/issuer-config.ts';
import { createOidc } from '../../src/identity/oidc/verifier.ts';
import { type OpenServer, openServer } from '../client/open-server.ts';
import { type JobPlatform, openJobPlatform } from './job-platform.ts';
import { action, openRunner } from './run-ci.ts';

const audience = 'https://artifacts.example.org';

/** Jobs of the platform, as writers: their tokens are verified for real. */
function identityOf(platform: JobPlatform): Identity {
  const oidc = createOidc({ now: Date.now });
  const issuer = { name: 'ci', issuer: platform.issuer, audience, jwksUrl: undefined, caFile: undefined };
  oidc.use([{ ...issuer, ...issuerDefaults }]);
  return {
    async identify(token) {
      const { claims, expiresAt } = await oidc.verify(token);
      const actor = `job:${String(claims.repository)}@${String(claims.ref)}`;
      return {
        principal: { actor, share: actor, grants: [{ role: 'writer', producers: [{ exact: 'acme-app' }] }] },
        by: 'issuer ci',
        expiresAt,
      };
    },
    anonymous: [],
    quotaOf: () => undefined,
    status: () => undefined,
    [Symbol.asyncDispose]: () => oidc.close(),
  };
}

/** What a script would run if it became a part of it, and what a command line would take for an option. */
const quotes = ['"; touch pwned; #', "'; touch pwned; '", '$(touch pwned)', '`touch pwned`'];
const nasty = [...quotes, '--help', '-x', '%0A::error::x', '*', '\\'];

describe('a push from a job', () => {
  let platform: JobPlatform;
  let server: OpenServer;
  before(async () => {
    platform = await openJobPlatform();
    server = await openServer({ identity: identityOf(platform) });
  });
  after(async () => {
    await server.close();
    await platform[Symbol.asyncDispose]();
  });

  test('of GitHub sends the directory with the identity of the job, and says what it became', async () => {
    using runner = openRunner();
    runner.write({ 'out/a': 'a', 'out/b/c': 'cc', '.env': 'ARTIFACTSTORE_API_URL=http://127.0.0.1:1\nARTIFACTSTORE_NONSENSE=x\n' });
    const inputs = {
      directory: 'out',
      'api-url': server.url,
      audience,
      producer: 'acme-app',
      name: nasty.join(' '),
      subject: nasty[2]!,
      metadata: `${nasty.map((text, index) => `n${index}=${text}`).join('\n')}\r\n\nbuild=42`,
    };
    const job = { ...platform.variables, ARTIFACTSTORE_API_TOKEN: 'of the workflow', GITHUB_WORKSPACE: runner.project };
    const { code, stdout, stderr, outputs, summary } = await runner.runAction(inputs, job);
    assert.equal(code, 0, stdout + stderr);
    const { package_id = '', manifest_digest = '' } = outputs;
    assert.deepEqual(Object.keys(outputs), Object.keys(action.outputs));
    const sealed = await server.store.as('test').packages.get(package_id);
    assert.deepEqual(
      [sealed?.status, sealed?.file_count, sealed?.name, sealed?.subject, sealed?.created_by, sealed?.manifest_digest],
      ['finalized', 2, inputs.name, inputs.subject, 'job:acme/app@refs/heads/main', manifest_digest],
    );
    assert.deepEqual(sealed?.metadata, { ...Object.fromEntries(nasty.map((text, index) => [`n${index}`, text])), build: 42 });
    assert.ok(!existsSync(join(runner.project, 'pwned')) && !existsSync(join(runner.project, 'out', 'pwned')));
    for (const text of [package_id, manifest_digest, '| files | 2 |', '| bytes | 3 |', `pull --api-url ${server.url} ${package_id}`])
      assert.ok(summary.includes(text), `${text} in ${summary}`);
    assert.doesNotMatch(stdout + stderr + summary, new RegExp(`${platform.variables.ACTIONS_ID_TOKEN_REQUEST_TOKEN}|eyJ`));
  });

  test('of GitHub that is refused ends with the reason as an annotation', async () => {
    using runner = openRunner();
    runner.write({ 'out/a': 'a' });
    const refused = await runner.runAction(
      { directory: 'out', 'api-url': server.url, audience: 'https://another', producer: 'acme-app' },
      platform.variables,
    );
    assert.notEqual(refused.code, 0);
    assert.match(
      refused.stdout,
      /^::error title=artifactstore::.*\(unauthorized\) hint: compare the id token of this job \(issuer .*another/m,
    );
    assert.deepEqual([refused.outputs, refused.summary], [{}, '']);
  });

  test('of GitLab sends the directory with the id token of the job, and leaves what it became to later jobs', async () => {
    using runner = openRunner();
    runner.write({ 'out/a': 'a', '.env': 'ARTIFACTSTORE_API_URL=http://127.0.0.1:1\n' });
    const inputs = {
      directory: 'out',
      api_url: server.url,
      audience,
      producer: 'acme-app',
      name: `${nasty.join(' ')} # : "`,
      metadata: `commit=$CI_COMMIT_SHA;${nasty[2]!}=1;build=42`,
    };
    const job = { CI_COMMIT_SHA: '0f0f', ARTIFACTSTORE_API_TOKEN: 'of the project' };
    const { code, stdout, stderr } = await runner.runComponent(inputs, job, platform.sign, 'sh');
    assert.equal(code, 0, stdout + stderr);
    const [, id = '', digest = ''] = /^PUSHED_PACKAGE_ID=(.*)\nPUSHED_MANIFEST_DIGEST=(.*)\n$/.exec(runner.read('artifactstore.env')) ?? [];
    const sealed = await server.store.as('test').packages.get(id);
    assert.deepEqual([sealed?.status, sealed?.manifest_digest, sealed?.name], ['finalized', digest, inputs.name]);
    assert.deepEqual(sealed?.metadata, { commit: '0f0f', [nasty[2]!]: 1, build: 42 });
    assert.ok(!existsSync(join(runner.project, 'pwned')));
    assert.doesNotMatch(stdout + stderr, /eyJ/);
  });
});
