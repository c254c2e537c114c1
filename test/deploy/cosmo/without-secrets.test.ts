import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { formsOf } from '../../../src/secrets/scan/forms.ts';

const filter = join(import.meta.dirname, '../../../deploy/cosmo/scripts/without-secrets.mjs');

describe('the filter of what one-shots print', () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-filter-'));
  const file = join(directory, 'cosmo.env');
  const words = { API_KEY: 'cosmo_669b576aaadc10ee1ae81d9193425705', PASSWORD: 'd0d0cafe77aa11bb' };
  before(() =>
    writeFileSync(
      file,
      `API_KEY=${words.API_KEY}\nKC_ADMIN_PASSWORD=${words.PASSWORD}\nCLICKHOUSE_DSN=clickhouse://cosmo:p-w0rd-of-clickhouse@db:9000/cosmo\nUSER_EMAIL=foo@example.com\n`,
    ),
  );
  after(() => rmSync(directory, { recursive: true }));

  const run = (script: string, ...args: readonly string[]) =>
    spawnSync(process.execPath, [filter, file, process.execPath, '-e', script, ...args], { encoding: 'utf8' });

  test('prints what is no secret, on the same stream, and ends as the command does', () => {
    const { status, stdout, stderr } = run(
      "console.log('foo@example.com'); console.error('b'); process.stdout.write('c'); process.exitCode = 7",
    );
    assert.deepEqual([status, stdout, stderr], [7, 'foo@example.com\nc', 'b\n']);
    assert.equal(run("process.kill(process.pid, 'SIGKILL')").status, 137);
  });

  test('leaves out what the seed and the migration of ClickHouse print', () => {
    const seed = run(
      "console.log('User created with id 1'); console.log('API Key: ' + process.argv[1]); console.log('Done')",
      words.API_KEY,
    );
    assert.equal(seed.stdout, 'User created with id 1\n[left out: a line with API_KEY]\nDone\n');
    assert.match(seed.stderr, /1 of its lines were left out/);
    const generated = run("console.log('API Key: cosmo_0123456789abcdef0123456789abcdef')");
    assert.equal(generated.stdout, '[left out: a line with an API key of Cosmo]\n');
    const failing = run(
      "console.error(Object.assign(new Error('Command failed: dbmate -u ' + process.argv[1]), { escapedCommand: process.argv[1] })); process.exit(1)",
      'clickhouse://cosmo:p-w0rd-of-clickhouse@db:9000/cosmo',
    );
    assert.equal(failing.status, 1);
    assert.ok(!failing.stderr.includes('p-w0rd'), failing.stderr);
    assert.match(failing.stderr, /left out: a line with CLICKHOUSE_DSN/);
    // Of an address also the password alone.
    assert.equal(run("console.log('for user cosmo with p-w0rd-of-clickhouse')").stdout, '[left out: a line with CLICKHOUSE_DSN]\n');
  });

  test('knows every form that the scan of evidence looks for', () => {
    const forms = [words.API_KEY, words.PASSWORD].flatMap((word) => formsOf(word));
    // Nobody encodes letters and digits by percent, which are all that these have.
    const shown = forms.map(({ bytes }) => String(bytes)).filter((text) => !text.startsWith('%'));
    assert.ok(shown.length > 10);
    const { stdout } = run("for (const text of process.argv.slice(1)) console.log('(' + text + ')')", ...shown);
    assert.deepEqual(
      stdout.split('\n').filter((line) => line.startsWith('(')),
      [],
    );
    assert.equal(stdout.match(/left out/g)?.length, shown.length);
  });

  test('finds a value between colours, in a line without an end, and in one that comes in pieces', () => {
    const [first, rest] = [words.PASSWORD.slice(0, 8), words.PASSWORD.slice(8)];
    assert.match(run(`console.log('${first}\\u001b[31m${rest}')`).stdout, /^\[left out/);
    assert.match(run(`process.stdout.write('${first}'); setTimeout(() => process.stdout.write('${rest}'), 50)`).stdout, /^\[left out/);
    assert.match(
      run(`process.stdout.write('x'.repeat(3e6) + '${words.PASSWORD}')`).stdout,
      /^\[left out: a line with too much to look through\]$/,
    );
  });

  test('starts nothing without the file, and hands signals on', async () => {
    const missing = spawnSync(process.execPath, [filter, join(directory, 'none'), 'echo', 'ran'], { encoding: 'utf8' });
    assert.deepEqual([missing.status, missing.stdout], [78, '']);
    assert.match(missing.stderr, /can't be read \(ENOENT\)/);
    assert.equal(spawnSync(process.execPath, [filter, file]).status, 64);
    assert.equal(spawnSync(process.execPath, [filter, file, '/none']).status, 127);
    const child = spawn(process.execPath, [filter, file, process.execPath, '-e', "console.log('up'); setInterval(() => {}, 1e3)"]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGTERM');
    assert.equal(await new Promise((resolve) => child.once('close', resolve)), 143);
  });
});
