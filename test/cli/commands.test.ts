import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
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
    ]);
    assert.deepEqual((await place.json<{ readonly applied: readonly string[] }>('migrate')).applied, []);
    const healthy = await place.run('health');
    assert.equal(healthy.code, 0);
    assert.equal((JSON.parse(healthy.stdout) as { readonly status: string }).status, 'ok');
  });

  test('serves with several workers, which share one port and one set of metrics, replaces one that dies, and stops when asked', async () => {
    const server = await place.serve('serve', '--port', '0', '--workers', '2');
    assert.equal((await place.run('packages', 'show', absent)).code, 3);
    assert.equal((await place.run('packages', 'show', 'nonsense')).code, 2);
    const unknown = await place.run('events', '--type', 'v1.package.finalised');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /"event_type" must be one of v1\.file\.ingested, /);
    assert.equal((await place.run('manifest', absent)).code, 3);
    for (let index = 0; index < 10; index += 1) await fetch(`${server.url}/livez`, { headers: { connection: 'close' } });
    const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: 'Bearer cli-test-token' } });
    const text = await metrics.text();
    assert.match(text, /^artifactstore_http_requests_total\{route="\/livez",method="GET",status="200"\} 10$/m);
    assert.equal(text.match(/^# TYPE artifactstore_last_sequence/gm)?.length, 1);

    process.kill(workerOf(server.process.pid!), 'SIGKILL');
    for (let tries = 0; !server.log().includes('a worker died'); tries += 1) {
      assert.ok(tries < 200, server.log());
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.equal((await fetch(`${server.url}/livez`)).status, 200);
    assert.equal(await server.signal('SIGINT'), 0);
  });

  test('warns when it serves without tokens', async () => {
    using other = openWorkplace({ ARTIFACTSTORE_AUTH_TOKENS: '' });
    const server = await other.serve('serve', '--port', '0');
    assert.match(server.log(), /no tokens are configured/);
    const { code, stderr } = await other.run('packages', 'list');
    assert.equal(code, 1);
    assert.match(stderr, /\(unauthorized\)\nhint: set ARTIFACTSTORE_API_TOKEN/);
    const taken = await other.spawned('serve', '--port', String(server.port));
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /something else listens there/);
  });

  test('dev makes a token that only its owner can read and that the other commands find', async () => {
    using other = openWorkplace({ ARTIFACTSTORE_AUTH_TOKENS: '', ARTIFACTSTORE_API_TOKEN: '' });
    other.write({ 'tree/a': 'a' });
    const server = await other.serve('dev', '--port', '0');
    assert.equal(statSync(other.path('var/dev-token')).mode & 0o777, 0o600);
    const { package_id } = await other.json<{ readonly package_id: string }>('push', 'tree');
    const events = await other.run('events', '--type', 'v1.package.finalized', '--json');
    assert.match(events.stdout, new RegExp(`"subject_id":"${package_id}","actor":"dev"`));
    assert.match(server.log(), /artifactstore push \.\/some-directory/);
    assert.equal(await server.signal('SIGINT'), 0);
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

/** The first child process of a primary. */
function workerOf(parent: number): number {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const found = lines.map((line) => line.trim().split(/\s+/).map(Number)).find(([, ppid]) => ppid === parent);
  assert.ok(found?.[0] !== undefined);
  return found[0];
}
