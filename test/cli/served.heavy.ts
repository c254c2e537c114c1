import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { openWorkplace, type Workplace } from './workplace.ts';

const absent = '01900000-0000-7000-8000-000000000000';

describe('the commands that serve', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
  });
  after(() => place[Symbol.dispose]());

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
      assert.ok(tries < 2_000, server.log());
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
});

/** The first child process of a primary. */
function workerOf(parent: number): number {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const found = lines.map((line) => line.trim().split(/\s+/).map(Number)).find(([, ppid]) => ppid === parent);
  assert.ok(found?.[0] !== undefined);
  return found[0];
}
