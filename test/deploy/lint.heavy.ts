import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { accessSync, constants, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { findSystemdAnalyze } from '../install-page.ts';
import { environment } from '../run-package.ts';
import { compose, root, textOf } from './manifests.ts';

const run = promisify(execFile);
const cache = join(root, 'node_modules/.cache');
const folder = mkdtempSync(join(tmpdir(), 'artifactstore-lint-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Each field's own judge over what is below deploy/. Where one is missing its tests are skipped, with the reason. */
const judges = {
  hadolint: { program: join(cache, 'lint/bin/hadolint'), install: 'tools/lint/install-linters.sh' },
  kubernetes: { program: join(cache, 'lint/bin/kubernetes-validate'), install: 'tools/lint/install-linters.sh' },
  compose: { program: join(cache, 'stores/compose-config/compose-config'), install: 'tools/lint/install-compose-config.sh' },
  helm: { program: join(cache, 'stores/helm/helm'), install: 'tools/lint/install-helm.sh' },
  hcl: { program: join(cache, 'stores/hclfmt/hclfmt'), install: 'tools/lint/install-hclfmt.sh' },
} as const;

function unless(judge: keyof typeof judges): { readonly skip: string | false } {
  const { program, install } = judges[judge];
  try {
    accessSync(program, constants.X_OK);
    return { skip: false };
  } catch {
    return { skip: `${program} not found; ${install} installs it` };
  }
}

async function ask(judge: keyof typeof judges, args: readonly string[], options: { readonly cwd?: string } = {}): Promise<string> {
  const { stdout, stderr } = await run(judges[judge].program, args, { env: environment(), cwd: root, ...options });
  return stdout + stderr;
}

/** That it is refused, with these words. */
async function refused(judge: keyof typeof judges, args: readonly string[], words: RegExp): Promise<void> {
  await assert.rejects(ask(judge, args), (error) => {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    assert.match(stdout + stderr, words);
    return true;
  });
}

function draft(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('hadolint', unless('hadolint'), () => {
  for (const path of ['deploy/image/Dockerfile', 'deploy/compose/minio/Dockerfile'])
    test(`finds nothing in ${path}`, async () => assert.equal(await ask('hadolint', ['--no-color', path]), ''));
  test('finds an image without a version', async () => {
    await refused('hadolint', [draft('Dockerfile', textOf('image/Dockerfile').replaceAll(/^FROM \S+$/gm, 'FROM node:latest'))], /DL3007/);
  });
});

describe('compose-go', unless('compose'), () => {
  test('takes the compose file, with secrets as make-secrets.sh makes them, twice the same', async () => {
    const place = join(folder, 'compose');
    cpSync(join(root, 'deploy/compose'), place, { recursive: true });
    await run('bash', [join(place, 'make-secrets.sh')], { env: environment() });
    const once = await run('bash', ['-c', `cat ${place}/secrets/*`]);
    await run('bash', [join(place, 'make-secrets.sh')], { env: environment() });
    assert.deepEqual(await run('bash', ['-c', `cat ${place}/secrets/*`]), once);
    assert.equal(await ask('compose', [join(place, 'compose.yaml')]), '');
    const printed = await ask('compose', ['-print', join(place, 'compose.yaml')]);
    for (const service of Object.keys(compose().services)) assert.match(printed, new RegExp(`^ {2}${service}:$`, 'm'));
    const check = [join(root, 'bin/artifactstore.js'), 'config', 'check', '--settings', join(place, 'secrets/artifactstore.env')];
    await run(process.execPath, check, { env: environment() });
    await refused('compose', [draft('compose.yaml', 'services: {a: {image: b, read-only: true}}')], /read-only/);
  });
});

describe('kubernetes-validate', unless('kubernetes'), () => {
  const strict = ['--strict', '--no-warn', '--quiet', '-k', '1.30', '-k', '1.37'];
  const plain = 'deploy/kubernetes/artifactstore.yaml';
  test('takes the plain manifests, for Kubernetes 1.30 and 1.37', async () =>
    assert.equal(await ask('kubernetes', [...strict, plain]), ''));
  test('finds a field that there is not', async () => {
    await refused(
      'kubernetes',
      [...strict, draft('wrong.yaml', textOf('kubernetes/artifactstore.yaml').replace('replicas:', 'replica:'))],
      /replica/,
    );
  });

  describe('Helm', unless('helm'), () => {
    const chart = 'deploy/helm/artifactstore';
    const example = `${chart}/values.example.yaml`;
    const token = [
      '--set',
      'webIdentity.enabled=true',
      '--set',
      'secrets.bucket=',
      '--set',
      'profile=artifactstore-profile',
      '--set',
      'workers=4',
    ];
    test('finds nothing in the chart', async () => void (await ask('helm', ['lint', '--strict', '--quiet', chart, '--values', example])));
    for (const [name, more] of [
      ['the smallest values', []],
      ['keys in exchange for a token', token],
      ['a digest and no migration', ['--set', `image.digest=sha256:${'0'.repeat(64)}`, '--set', 'migrate=false']],
    ] as const)
      test(`renders with ${name} what Kubernetes takes`, async () => {
        const text = await ask('helm', ['template', 'registry', chart, '--values', example, ...more]);
        assert.equal(await ask('kubernetes', [...strict, draft('chart.yaml', text)]), '');
      });
    test('refuses values that lack something, and secrets among the settings', async () => {
      await refused('helm', ['template', 'registry', chart], /image[./]repository/);
      await refused(
        'helm',
        ['template', 'registry', chart, '--values', example, '--set', 'secrets.bucket='],
        /secrets.bucket names the secret/,
      );
      await refused(
        'helm',
        ['template', 'r', chart, '--values', example, '--set', 'settings.ARTIFACTSTORE_DATABASE_URL=x'],
        /DATABASE_URL/,
      );
    });
  });
});

describe('hclfmt', unless('hcl'), () => {
  const job = 'deploy/nomad/artifactstore.nomad.hcl';
  test('takes the Nomad job as it is written', async () => void (await ask('hcl', ['-require-no-change', job])));
  test('finds what is written otherwise', async () => refused('hcl', ['-require-no-change', draft('loose.hcl', 'a   = 1\nbc = 2\n')], /./));
  test('finds what is no HCL', async () => refused('hcl', ['-check', draft('wrong.hcl', 'job "a" {')], /Unclosed configuration block/));
});

const systemd = findSystemdAnalyze();
describe('systemd-analyze', { skip: systemd === undefined && 'this machine has no systemd-analyze' }, () => {
  for (const unit of ['artifactstore.service', 'artifactstore-verify.service', 'artifactstore-bootstrap.service'])
    test(`finds ${unit} closed: an exposure of at most 2.5 of 10`, async () => {
      const path = draft(unit, textOf(`systemd/${unit}`));
      const { stdout } = await run(systemd!, ['security', '--offline=true', '--threshold=25', '--no-pager', path]);
      assert.match(stdout, /Overall exposure level/);
    });
});
