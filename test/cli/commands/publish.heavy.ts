import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { PublishedArtifact } from '../../../src/bundle/addresses.ts';
import { manifestOf, sha256Of } from '../../bundle/bundle-folder.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

describe('artifactstore bundle and publish', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
    place.write({ 'dist/app.tar.gz': 'app', 'dist/bin/tool': 'tool' });
  });
  after(() => place[Symbol.dispose]());

  test('write a manifest, and install what it names', async () => {
    const wrote = await place.json('bundle', 'dist', '--name', 'gamma', '--release', '1');
    assert.deepEqual([wrote.artifacts, wrote.total_bytes], [2, 7]);
    assert.deepEqual(JSON.parse(readFileSync(place.path('dist/bundle.json'), 'utf8')).artifacts[0], {
      name: 'app.tar.gz',
      sha256: sha256Of('app'),
      size_bytes: 3,
      media_type: 'application/gzip',
    });
    const install = ['publish', 'dist', '--via', 'copy', '--to', 'bundles'];
    const unmounted = await place.run(...install);
    assert.equal(unmounted.code, 6);
    assert.match(unmounted.stderr, /Nothing was ever installed at .*\n?hint: .*--create/);
    const published = await place.json(...install, '--create', '--base-url', 'http://localhost:1/');
    assert.deepEqual(published, {
      'app.tar.gz': { url: `http://localhost:1/objects/sha256:${sha256Of('app')}/app.tar.gz`, sha256: sha256Of('app'), size_bytes: 3 },
      'bin/tool': { url: `http://localhost:1/objects/sha256:${sha256Of('tool')}/tool`, sha256: sha256Of('tool'), size_bytes: 4 },
    });
    assert.equal(readFileSync(place.path('bundles/sha256', sha256Of('tool')), 'utf8'), 'tool');
    const again = await place.run('publish', 'dist/bundle.json', '--via', 'copy', '--to', 'bundles', '--env');
    assert.match(again.stdout, /^APP_TAR_GZ_URL=http:\/\/127\.0\.0\.1:7380\/objects\/sha256:/);
    assert.match(again.stderr, /installed gamma 1 at ".*"; 0 files had to be copied/);
    const variables = await place.run('publish', 'dist', '--via', 'copy', '--to', 'bundles', '--nomad-vars');
    assert.match(variables.stdout, /^app_tar_gz_url = "http/);
    place.write({ 'job.hcl': 'artifact { source = "artifactstore://app.tar.gz" }\n' });
    const job = await place.run('publish', 'dist', '--via', 'copy', '--to', 'bundles', '--resolve', 'job.hcl');
    assert.match(job.stdout, new RegExp(`checksum = "sha256:${sha256Of('app')}"`));
  });

  test('send nothing when anything here is wrong, and say all of it', async () => {
    place.write({
      'bad/one': 'one',
      'bad/two': 'two',
      'bad/bundle.json': JSON.stringify(manifestOf({ one: 'ONE', two: 'three', gone: 'x', link: 'x', ok: 'ok' })),
    });
    place.write({ 'bad/ok': 'ok' });
    symlinkSync(place.path('bad/ok'), place.path('bad/link'));
    const refused = async (code: number, errorCode: string, ...args: readonly string[]) => {
      const { code: actual, stderr, stdout } = await place.run('publish', ...args, '--via', 'copy', '--to', 'never', '--json');
      assert.deepEqual([actual, stdout, JSON.parse(stderr).code], [code, '', errorCode], stderr);
      assert.ok(!existsSync(place.path('never')));
      return JSON.parse(stderr);
    };
    const { info } = await refused(5, 'digest_mismatch', 'bad');
    assert.deepEqual(
      info.artifacts.map(({ name }: { readonly name: string }) => name),
      ['gone', 'link', 'one', 'two'],
    );
    await refused(2, 'invalid_path', 'not-there');
    place.write({ 'no-manifest/a': 'a', 'twice/one': 'one', 'twice/bundle.json': JSON.stringify(manifestOf({ one: 'one' })) });
    await refused(2, 'invalid_path', 'no-manifest');
    place.write({ 'second/one': 'two', 'second/bundle.json': JSON.stringify(manifestOf({ one: 'two' })) });
    const twice = await refused(2, 'invalid_value', 'twice', 'second');
    assert.match(twice.detail, /Two bundles have an artifact "one"/);
    place.write({ 'wrong.hcl': 'artifact { source = "artifactstore://another" }' });
    await refused(2, 'invalid_value', 'twice', '--resolve', 'wrong.hcl');
    await refused(2, 'invalid_path', 'twice', '--resolve', 'none.hcl');
    await refused(2, 'invalid_value', 'twice', '--owner', '-R');
    await refused(2, 'invalid_value', 'twice', '--base-url', 'ftp://x');
    // Before the artifacts are read, which are wrong as well.
    await refused(2, 'invalid_value', 'bad', '--base-url', 'ftp://x');
    await refused(2, 'invalid_value', 'bad', '--owner', '-R');
  });

  test('refuse places and options that are none with exit code 2', async () => {
    for (const args of [
      ['--via', 'copy'],
      ['--via', 'copy', '--to', 'https://example.org/x'],
      ['--via', 'copy', '--to', 'ssh://-oProxyCommand=x/y'],
      ['--via', 'copy', '--to', 'x', '--mode', '4755'],
      ['--via', 'copy', '--to', 'x', '--env', '--nomad-vars'],
      ['--via', 'mail', '--to', 'x'],
    ])
      assert.equal((await place.run('publish', 'twice', ...args)).code, 2, args.join(' '));
    assert.equal((await place.run('bundle', 'dist', '--name', '../x')).code, 2);
    rmSync(place.path('dist'), { recursive: true });
    assert.equal((await place.run('bundle', 'dist', '--name', 'x')).code, 2);
    for (const command of ['bundle', 'publish']) assert.match((await place.run(command, '--help')).stdout, /Examples:/);
  });
});

describe('artifactstore publish, to a registry', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
  });
  after(() => place[Symbol.dispose]());

  test('asks nobody anything when an artifact is not what its manifest says', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      place.write({ 'bad/a': 'a', 'bad/b': 'b', 'bad/bundle.json': JSON.stringify(manifestOf({ a: 'a', b: 'c' })) });
      const { code, stderr } = await place.run('publish', 'bad', '--api-url', url);
      assert.equal(code, 5);
      assert.match(stderr, /"b" has another digest.*\(digest_mismatch\)/);
      assert.equal(connections, 0);
    } finally {
      server.close();
    }
  });

  test('sends nothing while a secret of the catalog is missing', async () => {
    using other = openWorkplace({ ARTIFACTSTORE_SECRETS: 'env', THERE: 'a value of some length' });
    const declared = (name: string) => JSON.stringify({ secrets: [{ name, external: 'the owner has it', consumers: ['site'] }] });
    other.write({
      'dist/a': 'a',
      'dist/bundle.json': JSON.stringify(manifestOf({ a: 'a' })),
      'missing.json': declared('NOT_THERE'),
      'there.json': declared('THERE'),
    });
    const publish = (catalog: string) =>
      other.run('publish', 'dist', '--via', 'copy', '--to', 'bundles', '--create', '--secrets-catalog', catalog);
    const { code, stderr } = await publish('missing.json');
    assert.equal(code, 2);
    assert.match(stderr, /NOT_THERE/);
    assert.ok(!existsSync(other.path('bundles')));
    assert.equal((await publish('there.json')).code, 0);
  });

  test('hands the artifacts over, and prints where they are', async () => {
    const server = await place.serve('serve', '--port', '0');
    place.write({ 'dist/app.tar.gz': 'app', 'job.hcl': 'artifact { source = "artifactstore://app.tar.gz" }\n' });
    await place.json('bundle', 'dist', '--name', 'gamma', '--release', '1');
    const url = `${server.url}/objects/sha256:${sha256Of('app')}/app.tar.gz`;
    assert.deepEqual(await place.json('publish', 'dist'), { 'app.tar.gz': { url, sha256: sha256Of('app'), size_bytes: 3 } });
    const { code, stdout, stderr } = await place.run('publish', 'dist', '--resolve', 'job.hcl', '--base-url', 'https://artifacts.example');
    assert.equal(code, 0);
    assert.match(stdout, /source = "https:\/\/artifacts\.example\/objects\/sha256:/);
    assert.match(stderr, /published gamma 1 as package .*: 1 artifact, 0 B sent/);
    for (const args of [
      ['--to', 'x'],
      ['--mode', '0600'],
      ['--via', 'copy', '--to', 'x', '--producer', 'p'],
    ]) {
      const refused = await place.run('publish', 'dist', ...args);
      assert.equal(refused.code, 2, args.join(' '));
      assert.match(refused.stderr, /goes with '--via/);
    }
    assert.equal((await place.run('publish', 'dist', '--retention-class', 'none-such', '--json')).code, 2);
    assert.equal(await server.signal('SIGTERM'), 0);
  });

  test('continue in the middle of an artifact after a kill', async (context) => {
    const size = 24_000_000;
    const server = await place.serve('serve', '--port', '0');
    /** How many bytes of an object in pieces are at the server. */
    const arrived = (): number => {
      const names = readdirSync(place.directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\/upload-[^/]+$/.test(name));
      return names.reduce((sum, name) => sum + (statSync(place.path(name), { throwIfNoEntry: false })?.size ?? 0), 0);
    };
    let resumed = 0;
    for (let attempt = 0; attempt < 5 && resumed === 0; attempt++) {
      const content = Buffer.alloc(size, `attempt ${attempt} of ${size}`);
      place.write({ 'large/app.tar': content });
      await place.json('bundle', 'large', '--name', 'large', '--release', `${attempt}`);
      const child = place.start('publish', 'large');
      const ended = once(child, 'exit');
      while (arrived() === 0 && child.exitCode === null) await pause(1);
      child.kill('SIGKILL');
      await ended;
      const published = await place.run('publish', 'large');
      assert.equal(published.code, 0, published.stderr);
      const { url, sha256 } = (await place.json<Record<string, PublishedArtifact>>('publish', 'large'))['app.tar']!;
      assert.equal(sha256, sha256Of(content));
      const answer = await fetch(url, { headers: { authorization: 'Bearer cli-test-token' } });
      assert.equal(sha256Of(Buffer.from(await answer.arrayBuffer())), sha256);
      const sent = /1 artifact, ([\d.]+) MiB sent/.exec(published.stderr)?.[1];
      if (sent !== undefined && Number(sent) < Math.floor(size / 1_048_576)) resumed = Number(sent);
      context.diagnostic(`attempt ${attempt}: ${published.stderr.trim()}`);
    }
    assert.ok(resumed > 0, 'no publication was killed in the middle');
    assert.equal(await server.signal('SIGTERM'), 0);
  });
});
