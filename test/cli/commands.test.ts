import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { finished, openWorkplace, type Workplace } from './workplace.ts';

const absent = '01900000-0000-7000-8000-000000000000';

describe('the command line', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
  });
  after(() => place[Symbol.dispose]());

  test('ends with 2 for what it does not know', async () => {
    const wrong = [
      ['bogus'],
      ['push', '--bogus', 'x'],
      ['push'],
      ['pull', 'x'],
      ['packages'],
      ['events', '--since', 'x'],
      ['push', ''],
      ['verify', absent, ''],
      ['pull', absent, 'x', '--manifest='],
      ['guide-board', 'ingest', ''],
      ['serve', '--port', '70000'],
      // It would be taken by `events`, and do nothing.
      ['events', 'verify', '--since', '3'],
      ['events', '--follow', 'verify'],
      ['help', 'bogus'],
      [],
    ];
    for (const { args, result } of await Promise.all(wrong.map(async (args) => ({ args, result: await place.run(...args) })))) {
      assert.equal(result.code, 2, args.join(' '));
      assert.equal(result.stdout, '', args.join(' '));
    }
    // The outer command has an option of this name too.
    const inner = await place.run('backup', 'verify', 'not-there', '--jobs', '2');
    assert.doesNotMatch(inner.stderr, /option/);
    const { stderr } = await place.run('push', '--bogus', 'x', '--json');
    assert.deepEqual(JSON.parse(stderr), { code: 'usage', detail: "unknown option '--bogus'" });
  });

  test('ends with 2 for a configuration that is wrong, and names the variables', async () => {
    using other = openWorkplace({ ARTIFACTSTORE_PROT: '1', ARTIFACTSTORE_PORT: 'x' });
    const { code, stderr } = await other.run('packages', 'list');
    assert.equal(code, 2);
    assert.match(stderr, /ARTIFACTSTORE_PORT: "x"/);
    assert.match(stderr, /ARTIFACTSTORE_PROT.*did you mean ARTIFACTSTORE_PORT/);
  });

  test('ends with 6 when nobody answers, and says what to do', async () => {
    const { code, stderr } = await place.run('packages', 'list', '--api-url', 'http://127.0.0.1:1');
    assert.equal(code, 6);
    assert.match(stderr, /^error: .*127\.0\.0\.1:1.* \(server_unreachable\)\nhint: /m);
  });

  test('says its version, and helps with every command without reading any configuration', async () => {
    using broken = openWorkplace({ ARTIFACTSTORE_PORT: 'x' });
    const { stdout: version } = await broken.run('version');
    assert.match(version, /^\d+\.\d+\.\d+\n$/);
    for (const args of [['--version'], ['push', '--version']]) {
      const { code, stdout } = await broken.run(...args);
      assert.deepEqual([code, stdout], [0, version]);
    }
    const { stdout } = await broken.run('--help');
    assert.match(stdout, /push .*send a directory/);
    const help = await broken.run('push', '--help');
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Examples:/);
    assert.equal((await broken.run('help', 'events', 'verify')).code, 0);
  });

  test('migrates, tells its health as JSON and refuses to work unmigrated', async () => {
    const unmigrated = await place.run('health');
    assert.equal(unmigrated.code, 6);
    assert.equal((JSON.parse(unmigrated.stdout) as { readonly status: string }).status, 'degraded');
    assert.equal((await place.run('replay')).code, 1);
    assert.deepEqual((await place.json<{ readonly applied: readonly string[] }>('migrate')).applied, [
      '0001-initial',
      '0002-storage-markers',
      '0003-package-times',
      '0004-runs',
      '0005-producer-usage',
      '0006-held-objects',
      '0007-package-lists',
      '0008-write-sessions',
      '0009-open-uploads',
      '0010-retention-holds',
      '0011-open-lists',
      '0012-package-names',
      '0013-manifest-digests',
      '0014-counted-holds',
    ]);
    assert.deepEqual((await place.json<{ readonly applied: readonly string[] }>('migrate')).applied, []);
    const healthy = await place.run('health');
    assert.equal(healthy.code, 0);
    assert.equal((JSON.parse(healthy.stdout) as { readonly status: string }).status, 'ok');
  });

  test('follows events until it is stopped', async () => {
    const server = await place.serve('serve', '--port', '0');
    const following = place.start('events', '--follow', '--type', 'v1.package.finalized', '--json');
    const ending = finished(following);
    const line = new Promise<string>((resolve) => following.stdout!.once('data', (chunk: Uint8Array) => resolve(chunk.toString())));
    place.write({ 'followed/a': 'a' });
    const { package_id } = await place.json<{ readonly package_id: string }>('push', 'followed');
    assert.equal((JSON.parse(await line) as { readonly subject_id: string }).subject_id, package_id);
    following.kill('SIGINT');
    assert.equal((await ending).code, 0);
    assert.equal(await server.signal('SIGTERM'), 0);
  });
});
