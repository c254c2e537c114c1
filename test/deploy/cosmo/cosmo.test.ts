import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

/** `docker` writes down how it was called; there is no container engine behind it. */
describe('cosmo.sh', () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-cosmo-sh-'));
  const calls = join(directory, 'calls');
  before(() => {
    copyFileSync(join(import.meta.dirname, '../../../deploy/cosmo/cosmo.sh'), join(directory, 'cosmo.sh'));
    for (const name of ['docker', 'artifactstore'])
      writeFileSync(join(directory, name), `#!/bin/sh\necho "$*" >>"${calls}"\ncase "$*" in *"$FAILS"*) exit 1 ;; esac\necho said\n`, {
        mode: 0o755,
      });
  });
  after(() => rmSync(directory, { recursive: true }));

  function run(
    argument: string,
    environment: Record<string, string> = {},
  ): { readonly status: number | null; readonly steps: string[]; readonly said: string } {
    writeFileSync(calls, '');
    const { status, stdout, stderr } = spawnSync('/bin/sh', [join(directory, 'cosmo.sh'), argument], {
      encoding: 'utf8',
      env: { PATH: `${directory}:${process.env.PATH}`, FAILS: 'nothing fails', ...environment },
    });
    const steps = readFileSync(calls, 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => line !== 'compose version')
      .map((line) => line.replace(/^compose( --profile \S+)+ /, '').replace('run --rm -T --no-deps ', 'once '));
    return { status, steps, said: stdout + stderr };
  }

  test('starts things in their order, and leaves no one-shot behind', () => {
    assert.deepEqual(run('bootstrap').steps, ['up --detach --wait vault', 'once vault-bootstrap']);
    const up = [
      'up --detach --wait vault vault-agent',
      'up --detach --wait minio postgres cosmo-clickhouse cosmo-redis cosmo-nats',
      'once cosmo-postgres-bootstrap',
      'once cosmo-db-migration',
      'once cosmo-clickhouse-migration',
      'once artifact-bucket-init',
      'up --detach --wait cosmo-keycloak cosmo-controlplane cosmo-cdn cosmo-studio',
    ];
    assert.deepEqual(run('up').steps, up);
    assert.deepEqual(run('up', { COSMO_STORE: 'seaweedfs' }).steps, up.with(1, up[1]!.replace('minio', 'seaweedfs')));
    assert.deepEqual(run('seed').steps, ['once cosmo-seed']);
    assert.equal(run('else').status, 2);
  });

  test('says what is missing before it begins', () => {
    const old = run('up', { FAILS: 'compose version' });
    assert.deepEqual([old.status, old.steps], [69, []]);
    assert.match(old.said, /^cosmo\.sh: `docker compose` does not run here; install Docker Compose v2/);
    const alone = mkdtempSync(join(directory, 'path-'));
    for (const name of ['dirname', 'docker', 'mkdir', 'date'])
      symlinkSync(name === 'docker' ? join(directory, name) : `/usr/bin/${name}`, join(alone, name));
    const without = run('evidence', { PATH: alone });
    assert.deepEqual([without.status, without.steps], [69, []]);
    assert.match(without.said, /^cosmo\.sh: `artifactstore` is not on PATH/);
    assert.equal(run('bootstrap', { PATH: alone }).status, 0);
  });

  test('ends at the first step that fails', () => {
    const { status, steps } = run('up', { FAILS: 'cosmo-db-migration' });
    assert.deepEqual([status, steps.at(-1)], [1, 'once cosmo-db-migration']);
  });

  test('keeps evidence with an index of what it proves, and says where it failed', () => {
    const { status, said } = run('evidence');
    assert.equal(status, 0, said);
    const place = join(directory, said.trim());
    const index = readFileSync(join(place, 'index.md'), 'utf8');
    const files = readdirSync(place).filter((name) => name.endsWith('.txt'));
    assert.deepEqual([...index.matchAll(/^- (\S+): /gm)].map(([, name]) => name).sort(), files.sort());
    const page = readFileSync(join(import.meta.dirname, '../../../deploy/cosmo/README.md'), 'utf8');
    for (const name of files) assert.ok(page.includes(name.replace('artifact-bucket-init-run2', '-run2')), name);
    rmSync(place, { recursive: true });
  });

  test('looks for secrets in the evidence also where a step failed, and says which one did', () => {
    const evidenceWith = (fails: string) => {
      const { status, steps, said } = run('evidence', { FAILS: fails });
      const place = join(directory, said.split('\n')[0]!);
      const index = readFileSync(join(place, 'index.md'), 'utf8');
      const files = readdirSync(place).sort();
      rmSync(place, { recursive: true });
      return { status, steps, said, index, files };
    };
    // One of the one-shots in the middle of `up`.
    const failed = evidenceWith('cosmo-db-migration');
    assert.equal(failed.status, 1);
    assert.deepEqual(failed.steps.slice(-2), ['once cosmo-db-migration', 'once evidence-scan']);
    assert.match(failed.said, /\ncosmo\.sh: up failed, see evidence\/\w+\/up\.txt\n$/);
    assert.deepEqual(failed.files, ['index.md', 'leak-scan.txt', 'up.txt', 'vault-bootstrap.txt']);
    assert.match(failed.index, /^- up\.txt: \*\*failed\*\*/m);
    assert.match(failed.index, /^Not run: artifact-bucket-init-run1 .* ps\.\n- leak-scan\.txt: no secret/m);
    const found = evidenceWith('evidence-scan');
    assert.equal(found.status, 3);
    assert.match(found.said, /\ncosmo\.sh: a secret is in the evidence.*see evidence\/\w+\/leak-scan\.txt\n$/);
    assert.match(found.index, /^- leak-scan\.txt: \*\*failed\*\*/m);
    const both = evidenceWith('run --rm');
    assert.equal(both.status, 4);
    assert.match(both.said, /\ncosmo\.sh: vault-bootstrap failed, .*\ncosmo\.sh: a secret is in the evidence/);
  });
});
