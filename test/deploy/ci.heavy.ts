import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { tokenFromGitHubActions } from '../../src/client/bearer/github-actions.ts';
import { connectRegistry } from '../../src/client/connect.ts';
import type { Identity } from '../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../src/identity/open.ts';
import { openWorkplace } from '../cli/workplace.ts';
import { type OpenServer, openServer } from '../client/open-server.ts';
import { type JobPlatform, openJobPlatform } from './job-platform.ts';
import { action, openRunner } from './run-ci.ts';

const audience = 'https://artifacts.example.org';

/** What the operator of the server writes for the jobs of one repository, at GitHub and at GitLab. */
const accessFile = (platform: JobPlatform): string => `
[issuers.ci]
issuer = "${platform.issuer}"
audience = "${audience}"

[[grants]]
issuer = "ci"
claims = { repository_id = "12345", repository_owner_id = "67", ref = ["refs/heads/main", { glob = "refs/tags/*" }] }
actor = "github:acme/app@{ref}"
role = "writer"
producers = ["acme-app"]

[[grants]]
issuer = "ci"
claims = { job_project_id = "22", job_namespace_id = "72", ref_protected = "true" }
actor = "gitlab:acme/app@{ref}"
role = "writer"
producers = ["acme-app"]
`;

/** Of a job of GitLab, by its documented example. */
const gitlabClaims = {
  sub: 'project_path:acme/app:ref_type:branch:ref:main',
  job_project_id: '22',
  job_namespace_id: '72',
  project_id: '22',
  project_path: 'acme/app',
  ref: 'main',
  ref_type: 'branch',
  ref_protected: 'true',
  job_id: '302',
};

/** What a script would run if it became a part of it, and what a command line would take for an option. */
const quotes = ['"; touch pwned; #', "'; touch pwned; '", '$(touch pwned)', '`touch pwned`'];
const nasty = [...quotes, '--help', '-x', '%0A::error::x', '*', '\\'];

describe('a push from a job', () => {
  let platform: JobPlatform;
  let server: OpenServer;
  let identity: Identity;
  before(async () => {
    platform = await openJobPlatform();
    const path = join(mkdtempSync(join(tmpdir(), 'access-file-')), 'access.toml');
    writeFileSync(path, accessFile(platform), { mode: 0o600 });
    identity = await openIdentity({ tokens: [], accessFile: { path } });
    server = await openServer({ identity });
  });
  after(async () => {
    await server.close();
    await identity[Symbol.asyncDispose]();
    rmSync(dirname(identity.status()?.path ?? ''), { recursive: true });
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
      ['finalized', 2, inputs.name, inputs.subject, 'github:acme/app@refs/heads/main', manifest_digest],
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
    runner.write({ 'out/a': 'a', '.env': 'ARTIFACTSTORE_API_URL=http://127.0.0.1:1\nARTIFACTSTORE_NONSENSE=x\n' });
    const inputs = {
      directory: 'out',
      api_url: server.url,
      audience,
      producer: 'acme-app',
      name: `${nasty.join(' ')} # : "`,
      metadata: `commit=$CI_COMMIT_SHA;${nasty[2]!}=1;build=42`,
    };
    const job = { CI_COMMIT_SHA: '0f0f', ARTIFACTSTORE_API_TOKEN: 'of the project' };
    const sign = async (wanted: string): Promise<string> => await platform.sign(wanted, gitlabClaims);
    const { code, stdout, stderr } = await runner.runComponent(inputs, job, sign, 'sh');
    assert.equal(code, 0, stdout + stderr);
    const [, id = '', digest = ''] = /^PUSHED_PACKAGE_ID=(.*)\nPUSHED_MANIFEST_DIGEST=(.*)\n$/.exec(runner.read('artifactstore.env')) ?? [];
    const sealed = await server.store.as('test').packages.get(id);
    assert.deepEqual(
      [sealed?.status, sealed?.manifest_digest, sealed?.name, sealed?.created_by],
      ['finalized', digest, inputs.name, 'gitlab:acme/app@main'],
    );
    assert.deepEqual(sealed?.metadata, { commit: '0f0f', [nasty[2]!]: 1, build: 42 });
    assert.ok(!existsSync(join(runner.project, 'pwned')));
    assert.doesNotMatch(stdout + stderr, /eyJ/);
  });

  test('of GitHub that may not do it is told which right is missing, and who it is', async () => {
    using runner = openRunner();
    runner.write({ 'out/a': 'a' });
    const inputs = { directory: 'out', 'api-url': server.url, audience, producer: 'another' };
    const refused = await runner.runAction(inputs, platform.variables);
    assert.match(refused.stdout, /^::error title=artifactstore::.*\(forbidden\) hint: .*artifactstore whoami/m);

    const job = { ...platform.variables, ARTIFACTSTORE_IDENTITY: 'github-actions', ARTIFACTSTORE_IDENTITY_AUDIENCE: audience };
    using place = openWorkplace({ ...job, ARTIFACTSTORE_API_TOKEN: '', ARTIFACTSTORE_API_URL: server.url });
    const { expires_at, ...you } = await place.json('whoami');
    assert.deepEqual(you, {
      actor: 'github:acme/app@refs/heads/main',
      by: 'issuer ci',
      grants: [{ role: 'writer', producers: [{ exact: 'acme-app' }] }],
    });
    assert.ok(Date.parse(String(expires_at)) > Date.now());
  });

  test('that takes longer than a token lives takes new ones, and no request is refused', async () => {
    const { variables } = platform;
    const token = tokenFromGitHubActions({
      requestUrl: variables.ACTIONS_ID_TOKEN_REQUEST_URL,
      requestToken: variables.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
      audience,
    });
    platform.seconds = 2;
    try {
      const before = platform.asked.length;
      await using registry = connectRegistry({ url: server.url, token });
      const asked = () => platform.asked.length - before;
      const began = performance.now();
      const seconds = () => (performance.now() - began) / 1000;
      while (asked() < 3 || seconds() < 5) {
        const tried = await Promise.all(Array.from({ length: 8 }, () => registry.packages.list({ limit: 1 })));
        assert.equal(tried.length, 8);
        await sleep(100);
      }
      assert.ok(asked() <= seconds() + 3, `${asked()} tokens in ${seconds()} s`);
    } finally {
      platform.seconds = 300;
    }
  });

  test('takes the command line from a file that npm pack made, and from no other one', async () => {
    using runner = openRunner({ onPath: false });
    // A package as `npm pack` makes one, of the command line as it is here.
    const scripts = { postinstall: `touch ${join(runner.project, 'pwned')}` };
    const manifest = { name: 'artifactstore', version: '0.0.0', type: 'module', bin: { artifactstore: 'run.js' }, scripts };
    const entry = pathToFileURL(join(import.meta.dirname, '..', '..', 'bin', 'artifactstore.js')).href;
    runner.write({
      'tool/package.json': JSON.stringify(manifest),
      'tool/run.js': `#!/usr/bin/env node\nawait import(${JSON.stringify(entry)});\n`,
      'out/a': 'a',
    });
    const packed = await runner.shell('npm pack --silent ./tool');
    const file = packed.stdout.trim();
    const digest = hash('sha256', readFileSync(join(runner.project, file)));
    const inputs = { directory: 'out', 'api-url': server.url, audience, producer: 'acme-app', package: file };
    const other = await runner.runAction({ ...inputs, 'package-sha256': digest.replace(/./, 'x') }, platform.variables);
    assert.equal(other.code, 1);
    assert.match(other.stdout, new RegExp(`another file than package-sha256 says: its SHA-256 is ${digest}`));
    const done = await runner.runAction({ ...inputs, 'package-sha256': digest }, platform.variables);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.match(done.outputs.package_id ?? '', /^[0-9a-f-]{36}$/);

    const { 'api-url': api_url, ...rest } = inputs;
    const sign = async (wanted: string): Promise<string> => await platform.sign(wanted, gitlabClaims);
    const gitlab = await runner.runComponent({ ...rest, api_url, package_sha256: digest }, {}, sign);
    assert.equal(gitlab.code, 0, gitlab.stdout + gitlab.stderr);
    const wrong = await runner.runComponent({ ...rest, api_url, package_sha256: 'x' }, {}, sign);
    assert.deepEqual([wrong.code, wrong.stderr], [1, `artifactstore: the SHA-256 of the package is ${digest}\n`]);
    assert.ok(!existsSync(join(runner.project, 'pwned')), 'what comes with the package is not run when it is installed');
  });
});
