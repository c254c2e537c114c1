import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { asNobody, finished } from './cli/workplace.ts';
import { freePorts } from './stores/free-ports.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/deployments.md'), 'utf8');
const section = page.slice(page.indexOf('## From an empty machine'));
const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]!);

/**
 * docs/deployments.md, followed from its first block to its last, by an ordinary user where root can become one. The
 * software that is deployed is this clone, behind a command of two lines that lies where a package has its own.
 */
describe('docs/deployments.md, followed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-deployments-'));
  const software = join(folder, 'opt/artifactstore');
  const bin = join(software, 'node_modules/.bin');
  let text: string;

  before(async () => {
    mkdirSync(bin, { recursive: true });
    mkdirSync(join(folder, 'here'));
    writeFileSync(join(bin, 'artifactstore'), `#!/bin/sh\nexec ${process.execPath} ${join(root, 'bin/artifactstore.js')} "$@"\n`);
    chmodSync(join(bin, 'artifactstore'), 0o755);
    const bootstrap = await freePorts(2);
    const registry = bootstrap + 1;
    text = blocks
      .map((block, index) => `echo "== ${index + 1}"\n${block}`)
      .join('\n')
      .replaceAll('/opt/artifactstore', software)
      .replaceAll('/var/lib/artifactstore-bundles', join(folder, 'bundles'))
      .replaceAll('artifactstore bootstrap-serve', `artifactstore bootstrap-serve --port ${bootstrap}`)
      .replaceAll('--via copy', `--via copy --base-url http://127.0.0.1:${bootstrap}`)
      .replaceAll('artifactstore serve', `artifactstore serve --port ${registry}`)
      .replaceAll('127.0.0.1:8000', `127.0.0.1:${registry}`)
      .replace('export ARTIFACTSTORE_API_TOKEN', `export ARTIFACTSTORE_API_URL=http://127.0.0.1:${registry} ARTIFACTSTORE_API_TOKEN`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('deploys a registry onto an empty machine, and lets a release come, go back and end', async () => {
    const env = { PATH: `${bin}:${process.env.PATH}`, HOME: join(folder, 'here') };
    const script = `set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n${text}`;
    // Permissions stop an ordinary user, and root by none.
    const [command = '', ...words] = [...asNobody.split(' ').filter((word) => word !== ''), 'bash', '-c', script];
    if (asNobody !== '') execFileSync('chown', ['-R', '65534:65534', folder]);
    const child = spawn(command, words, { cwd: join(folder, 'here'), env, stdio: ['ignore', 'pipe', 'pipe'] });
    const { code, stdout, stderr } = await finished(child);
    const logs = ['bootstrap.log', 'registry.log'].map((name) => logOf(join(folder, 'here', name))).join('\n');
    assert.equal(code, 0, `${stdout}\n${stderr}\n${logs}`);
    assert.match(stdout, /right 1 secret in .*\n== 5\nregistry\.tar\.gz: OK\n/);
    assert.match(stdout, /== 8\nsite\.txt: OK\nthe first release\n/);
    assert.match(stdout, /\n410\n200\n200\n== 10\nwrote .*\n200\n$/);
    assert.match(stderr, /published gamma 2 as package \S+: 2 artifacts, 19 B sent/);
    const job = readFileSync(join(folder, 'here/site-2.nomad.hcl'), 'utf8');
    assert.match(
      job,
      /source = "http:\/\/127\.0\.0\.1:\d+\/objects\/sha256:[0-9a-f]{64}\/site\.txt"\n\s+options \{\n\s+checksum = "sha256:/,
    );
  });
});

function logOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
