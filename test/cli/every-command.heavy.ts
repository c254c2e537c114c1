import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { describe, test } from 'node:test';
import { commands } from '../../src/cli/command-table.ts';
import type { CommandTable } from '../../src/cli/definition.ts';
import { type Finished, openWorkplace } from './workplace.ts';

/** Tests of servers start them, and end them by a signal. */
const staying = ['serve', 'dev', 'bootstrap-serve'];

describe('every command of the core, as a process of its own', () => {
  test('does its work on one package, says nothing more than it should, and ends by itself', async () => {
    using place = openWorkplace();
    place.write({ 'tree/a': 'a', 'metadata.json': '{"build":7}', 'release/b': 'b', 'keys/.lock': '' });
    chmodSync(place.path('keys'), 0o700);
    const keys = ['--store', `file:${place.path('keys')}`];
    const called = new Set<string>(staying);

    async function call(command: string, code: number, ...args: readonly string[]): Promise<Finished> {
      called.add(command);
      const result = await place.spawned(...command.split(' '), ...args);
      assert.equal(result.code, code, `${command}: ${result.stderr}`);
      if (code === 0) assert.equal(result.stderr, '', command);
      return result;
    }
    const json = async (command: string, ...args: readonly string[]) =>
      JSON.parse((await call(command, 0, ...args, '--json')).stdout) as Record<string, unknown>;

    assert.match((await call('version', 0)).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.ok(Array.isArray((await json('migrate')).applied));
    await place.serve('serve', '--port', '0');
    const id = String((await json('push', 'tree', '--metadata-file', 'metadata.json')).package_id);
    await Promise.all([
      call('pull', 0, id, 'pulled', '--manifest', 'saved.json'),
      json('packages show', id).then(({ metadata }) => assert.deepEqual(metadata, { build: 7 })),
      json('packages list').then(({ items }) => assert.equal((items as readonly unknown[]).length, 1)),
      json('retention expiring').then(({ items }) => assert.equal((items as readonly unknown[]).length, 1)),
    ]);
    await Promise.all([
      json('verify', id, 'pulled', '--manifest', 'saved.json').then(({ ok }) => assert.equal(ok, true)),
      call('manifest', 0, id, '--output', 'again.cbor', '--quiet'),
      json('retention hold', id, '--reason', 'r').then((hold) => call('retention release', 0, id, String(hold.id))),
      json('retention show', id).then(({ retention_class: slug }) => assert.equal(slug, 'raw-evidence')),
      json('usage').then(({ producers }) => assert.equal((producers as readonly unknown[]).length, 1)),
      json('producers list').then(({ items }) => assert.equal((items as readonly unknown[]).length, 1)),
      json('uploads list').then(({ items }) => assert.deepEqual(items, [])),
      call('uploads abandon', 3, id).then(({ stderr }) => assert.match(stderr, /upload_not_found/)),
      json('whoami').then(({ actor }) => assert.equal(actor, 'tester')),
      json('config print').then(({ settings }) => assert.ok((settings as readonly unknown[]).length > 0)),
      json('config check').then(({ ok }) => assert.equal(ok, true)),
      call('access check', 2, '--token-file', 'none').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('secrets check', 2, '--catalog', 'none', '--store', 'env').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('secrets scan', 2, 'none', '--known', 'none').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('store init', 2, '--settings', 'none').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('store probe', 2, '--settings', 'none').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('import', 2).then(({ stderr }) => assert.match(stderr, /--from/)),
      call('smoke', 2, '--settings', 'none', '--evidence', 'e').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('store posture', 2, '--compose', 'none').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('secrets generate', 2, '--catalog', 'none', '--store', 'env').then(({ stderr }) => assert.match(stderr, /none" can't be read/)),
      call('retention extend', 0, id, '--by', '1d', '--reason', 'r'),
      json('bundle', 'release', '--name', 'gamma').then(({ artifacts }) => assert.equal(artifacts, 1)),
      json('provider status', ...keys).then(({ generations }) => assert.deepEqual(generations, [])),
      call('provider rotate', 3, ...keys, '--bucket', 'a', '--other-bucket', 'b').then(({ stderr }) =>
        assert.match(stderr, /authority_missing/),
      ),
      call('provider revoke', 3, ...keys, '--generation', '1').then(({ stderr }) => assert.match(stderr, /authority_missing/)),
      call('provider import-admin-pair', 2, ...keys, '--provider', 'static').then(({ stderr }) => assert.match(stderr, /--account/)),
    ]);
    assert.equal((await json('verify', id, 'tree', '--manifest', 'again.cbor')).ok, true);
    assert.deepEqual(Object.keys(await json('publish', 'release', '--producer', 'tester')), ['b']);
    await Promise.all([
      json('retention sweep').then(({ marked_count: count }) => assert.equal(count, 0)),
      json('events verify').then(({ ok }) => assert.equal(ok, true)),
      call('storage certify', 2).then(({ stderr }) => assert.match(stderr, /There is no S3 backend to certify/)),
      call('storage move', 2, '--from', 'local', '--to', 'far').then(({ stderr }) => assert.match(stderr, /no storage backend "far"/)),
    ]);
    await json('retention gc');
    assert.equal((await json('storage verify', '--backend', 'local')).objects, 2);
    assert.deepEqual(await json('storage adopt', '--backend', 'local').then(({ marked, adopted }) => [marked, adopted]), [true, false]);
    await json('replay');
    assert.equal((await json('backup', 'kept')).objects, 2);
    await Promise.all([json('backup verify', 'kept'), call('restore', 4, 'kept')]);
    assert.match((await call('events', 0, '--type', 'v1.package.finalized')).stdout, /^( +\d+ .*finalized.*\n){2}$/);
    assert.equal(JSON.parse((await call('health', 0)).stdout).status, 'ok');

    assert.deepEqual([...called].sort(), [...wordsOf(commands)].sort());
  });
});

/** What calls each command that does something. */
function wordsOf(table: CommandTable, before = ''): readonly string[] {
  return Object.entries(table).flatMap(([name, { load, commands: inner = {} }]) => [
    ...(load === undefined ? [] : [`${before}${name}`]),
    ...wordsOf(inner, `${before}${name} `),
  ]);
}
