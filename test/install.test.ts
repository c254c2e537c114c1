import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { commands } from '../src/cli/command-table.ts';
import { readConfig } from '../src/config/config.ts';
import { below, commandsOf, deployed, findNginx, findSystemdAnalyze, nginxConfiguration, page } from './install-page.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'artifactstore-install-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What `systemd-analyze security` may say at most, in tenths: 0 is closed, 100 open. */
const exposures: Readonly<Record<string, number>> = {
  'artifactstore-bootstrap.service': 15,
  'artifactstore.service': 25,
  'artifactstore-verify.service': 25,
};

describe('docs/install.md', () => {
  test('names settings and commands that there are', () => {
    const known = readConfig({}, { directory: folder }).describe();
    for (const [name] of page.matchAll(/ARTIFACTSTORE_[A-Z0-9_]*[A-Z0-9]\b/g)) assert.ok(name in known, `${name} is not a setting`);
    for (const [words, first = '', second = ''] of page.matchAll(/(?:^|`|-- |&& )artifactstore (?!needs|would)([a-z]+)(?: ([a-z]+))?/gm)) {
      const entry = commands[first];
      assert.ok(entry !== undefined, words);
      assert.ok(entry.load !== undefined || entry.commands?.[second] !== undefined, words);
    }
  });

  test('writes settings that are taken, and that keep everything in one folder', () => {
    const [write = ''] = commandsOf('4. Settings');
    mkdirSync(join(folder, 'var/lib/artifactstore'), { recursive: true });
    execFileSync('bash', ['-euo', 'pipefail', '-c', below(folder, write).replace(/^chown.*$/m, '')]);
    const directory = join(folder, 'var/lib/artifactstore');
    const config = readConfig({}, { directory });
    assert.deepEqual(config.database, { kind: 'sqlite', path: join(directory, 'artifactstore.db') });
    assert.deepEqual(
      config.tokens.map(({ actor }) => actor),
      ['ci', 'prometheus'],
    );
    assert.deepEqual(config.backends, [{ kind: 'local', id: 'local', root: join(directory, 'storage') }]);
    assert.equal(config.spoolDirectory, join(directory, 'spool'));
    const postgresql = /^ARTIFACTSTORE_DATABASE_URL=(postgresql:.*)$/m.exec(page)![1]!;
    assert.equal(readConfig({ ARTIFACTSTORE_DATABASE_URL: postgresql }, { directory }).database.kind, 'postgresql');
  });

  const systemd = findSystemdAnalyze();
  test('has units that systemd takes', { skip: systemd === undefined && 'this machine has no systemd-analyze' }, () => {
    const units = readdirSync(join(root, 'deploy/systemd'));
    assert.deepEqual(units.sort(), [
      'artifactstore-bootstrap.service',
      'artifactstore-verify.service',
      'artifactstore-verify.timer',
      'artifactstore.service',
    ]);
    for (const unit of units)
      writeFileSync(
        join(folder, unit),
        // There is no such command and no such user on this machine.
        deployed(`systemd/${unit}`)
          .replaceAll('/usr/local/bin/artifactstore', process.execPath)
          .replaceAll(/^(User|Group)=.*$/gm, '$1=root'),
      );
    for (const unit of units) {
      const { status, stderr } = spawnSync(systemd!, ['verify', join(folder, unit)], { encoding: 'utf8' });
      const about = stderr.split('\n').filter((line) => line.includes('artifactstore'));
      assert.deepEqual([status, about], [0, []], unit);
    }
  });

  for (const [unit, threshold] of Object.entries(exposures))
    test(`has a unit ${unit} that systemd finds closed`, { skip: systemd === undefined && 'this machine has no systemd-analyze' }, () => {
      const options = ['security', '--offline=true', '--no-pager', `--threshold=${threshold}`];
      const { status, stdout } = spawnSync(systemd!, [...options, join(root, 'deploy/systemd', unit)], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });

  test('has a unit for the first deployment that nobody else can reach, and that owns nothing', () => {
    const unit = deployed('systemd/artifactstore-bootstrap.service');
    for (const line of ['DynamicUser=yes', 'ProtectSystem=strict', 'IPAddressDeny=any', 'IPAddressAllow=localhost', 'NoNewPrivileges=yes'])
      assert.ok(unit.split('\n').includes(line), line);
    assert.doesNotMatch(unit, /^(ReadWritePaths|StateDirectory|AmbientCapabilities)=/m);
  });

  const nginx = findNginx();
  test('has a file that nginx takes', {
    skip: nginx === undefined && 'this machine has no nginx (ARTIFACTSTORE_TEST_NGINX names one)',
  }, () => {
    const name = 'localhost';
    const [certificate = ''] = commandsOf('6. nginx').filter((block) => block.includes('openssl'));
    execFileSync('bash', ['-euo', 'pipefail', '-c', below(folder, certificate)], { env: { ...process.env, NAME: name }, stdio: 'ignore' });
    writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration({ folder, name, tlsPort: 44_443, port: 44_480, upstreamPort: 8000 }));
    const { status, stderr } = spawnSync(nginx!, ['-t', '-c', join(folder, 'nginx.conf')], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  test('says of nginx what its file says', () => {
    const file = deployed('nginx/artifactstore.conf');
    const table = page.slice(page.indexOf('| nginx | why |'), page.indexOf('## 7.'));
    for (const [, directives = ''] of table.matchAll(/^\| (`.*?) \|/gm))
      for (const [, directive = ''] of directives.matchAll(/`([^`]+)`/g)) assert.ok(file.includes(directive), directive);
  });
});
