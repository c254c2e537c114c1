import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { copyBundle } from '../../../src/bundle/copy/copy-bundle.ts';
import { directoryTarget } from '../../../src/bundle/copy/directory-target.ts';
import { argumentsOf, commandOf, environmentOf, sshTarget } from '../../../src/bundle/copy/ssh-target.ts';
import { parseSshUrl } from '../../../src/bundle/copy/ssh-url.ts';
import { readLocalBundle } from '../../../src/bundle/local-bundle.ts';
import { parseBundle } from '../../../src/bundle/manifest.ts';
import { type BundleFolder, manifestOf, openBundleFolder, sha256Of } from '../bundle-folder.ts';
import { standInSsh } from './stand-in-ssh.ts';

const installed = { mode: 0o640, create: true };

interface Way {
  readonly name: string;
  target(
    folder: BundleFolder,
    directory: string,
    options?: { readonly mode: number; readonly owner?: string; readonly create?: boolean },
  ): ReturnType<typeof directoryTarget>;
}

const ways: readonly Way[] = [
  { name: 'into a directory', target: (_folder, directory, options = installed) => directoryTarget(directory, options) },
  {
    name: 'by ssh',
    target: (folder, directory, options = installed) =>
      sshTarget(parseSshUrl(`ssh://root@host.example:22${encodeURI(directory)}`, '--to'), { ...options, environment: standInSsh(folder) }),
  },
];

/** All below a directory, with their modes. */
function listed(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path.slice(directory.length + 1)} ${(statSync(path).mode & 0o7777).toString(8)}`)
    .sort();
}

for (const { name: way, target } of ways)
  describe(`a bundle that is copied ${way}`, () => {
    const files = { 'a.tar': 'one', 'deep/b.tar': 'two', same: 'one', empty: '' };
    const names = (name: string) =>
      [`${name}.bundle.json 640`, ...[...new Set(Object.values(files))].map((content) => `sha256/${sha256Of(content)} 640`)].sort();

    test('is there whole, with its mode, and its manifest names what lies there', async () => {
      using folder = openBundleFolder();
      folder.bundle(files, { release: '1' });
      const directory = folder.path("to/it's $(here) & so on");
      const told: boolean[] = [];
      const local = await readLocalBundle(folder.directory);
      await copyBundle(local, target(folder, directory), { onInstalled: (_artifact, copied) => told.push(copied) });
      assert.deepEqual(listed(directory), names('gamma@1'));
      assert.deepEqual(told, [true, true, true]);
      const manifest = parseBundle(readFileSync(join(directory, 'gamma@1.bundle.json')));
      for (const { name, path } of manifest.artifacts)
        assert.equal(readFileSync(join(directory, path), 'utf8'), files[name as string as keyof typeof files]);
      assert.equal(statSync(join(directory, 'sha256')).mode & 0o777, 0o755);
      await copyBundle(local, target(folder, directory), { onInstalled: (_artifact, copied) => told.push(copied) });
      assert.deepEqual(told.slice(3), [false, false, false], 'what is there is not copied again');
    });

    test('goes to a place where nothing was installed before only when it is told that it is new', async () => {
      using folder = openBundleFolder();
      folder.bundle(files);
      const local = await readLocalBundle(folder.directory);
      const directory = folder.path('mnt/bundles');
      for (const isThere of [false, true]) {
        if (isThere) mkdirSync(directory, { recursive: true });
        await assert.rejects(copyBundle(local, target(folder, directory, { mode: 0o640 })), {
          code: 'storage_unavailable',
          message: /^Nothing was ever installed at .*mnt\/bundles"?: it is new, or what belongs there is not mounted\.$/,
          info: { hint: 'mount it; where it is a new place, say so with --create' },
        });
        assert.equal(existsSync(join(directory, 'sha256')), false);
      }
      await copyBundle(local, target(folder, directory));
      await copyBundle(local, target(folder, directory, { mode: 0o640 }));
      assert.deepEqual(listed(directory), names('gamma'));
    });

    test('replaces what is damaged there, and never leads out of the directory', async () => {
      using folder = openBundleFolder();
      folder.bundle(files);
      const directory = folder.path('to');
      const place = join(directory, 'sha256', sha256Of('one'));
      mkdirSync(join(directory, 'sha256'), { recursive: true });
      folder.write({ 'outside.txt': 'outside', [`to/sha256/${sha256Of('two')}`]: 'damaged' });
      symlinkSync(folder.path('outside.txt'), place);
      await copyBundle(await readLocalBundle(folder.directory), target(folder, directory));
      assert.equal(readFileSync(folder.path('outside.txt'), 'utf8'), 'outside');
      assert.deepEqual(listed(directory), names('gamma'));
      assert.throws(() => readlinkSync(place));
      const other = folder.path('other');
      mkdirSync(other);
      symlinkSync(folder.directory, join(other, 'sha256'));
      await assert.rejects(copyBundle(await readLocalBundle(folder.directory), target(folder, other)), { code: 'invalid_path' });
      assert.ok(!existsSync(folder.path(sha256Of('one'))));
    });

    test('that changes while it is copied is not installed, and nothing is left of it', async () => {
      using folder = openBundleFolder();
      folder.bundle(files);
      const local = await readLocalBundle(folder.directory);
      folder.write({ 'deep/b.tar': 'TWO' });
      const directory = folder.path('to');
      await assert.rejects(copyBundle(local, target(folder, directory)), { code: 'digest_mismatch' });
      assert.deepEqual(listed(directory), [`sha256/${sha256Of('one')} 640`], 'neither the file, nor a draft, nor the manifest');
    });

    test('of a release that is there with other artifacts is refused, without a release it replaces', async () => {
      using folder = openBundleFolder();
      const directory = folder.path('to');
      const copy = async (content: string, release: string | undefined) => {
        folder.bundle({ a: content }, release === undefined ? {} : { release });
        await copyBundle(await readLocalBundle(folder.directory), target(folder, directory));
      };
      await copy('one', '1');
      await assert.rejects(copy('two', '1'), { code: 'target_in_use' });
      await copy('two', '2');
      await copy('one', undefined);
      await copy('two', undefined);
      const digestIn = (file: string) => parseBundle(readFileSync(join(directory, file))).artifacts[0]!.sha256;
      assert.equal(digestIn('gamma@1.bundle.json'), sha256Of('one'));
      assert.equal(digestIn('gamma.bundle.json'), sha256Of('two'));
    });

    test('has the owner that was asked for', { skip: process.getuid?.() !== 0 && 'only root may give files away' }, async () => {
      using folder = openBundleFolder();
      folder.bundle({ a: 'one' });
      const local = await readLocalBundle(folder.directory);
      await copyBundle(local, target(folder, folder.path('to'), { mode: 0o600, owner: '65534:0', create: true }));
      const { uid, gid, mode } = statSync(folder.path('to/sha256', sha256Of('one')));
      assert.deepEqual([uid, gid, mode & 0o7777], [65_534, 0, 0o600]);
      const wrong = target(folder, folder.path('else'), { mode: 0o600, owner: 'no-such-user-at-all', create: true });
      await assert.rejects(copyBundle(local, wrong), { code: 'invalid_value' });
      assert.deepEqual(listed(folder.path('else')), []);
    });

    test('stops when it is told to, and leaves no draft', async () => {
      using folder = openBundleFolder();
      folder.bundle({ a: Buffer.alloc(8_000_000, 'x') });
      const local = await readLocalBundle(folder.directory);
      const stop = new AbortController();
      const copying = copyBundle(local, target(folder, folder.path('to')), { signal: stop.signal });
      setTimeout(() => stop.abort(), 1);
      await assert.rejects(copying, { code: 'cancelled' });
      const end = performance.now() + 30_000;
      while (existsSync(folder.path('to')) && listed(folder.path('to')).length > 0) {
        assert.ok(performance.now() < end, listed(folder.path('to')).join());
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
  });

test('drafts of copies that were killed go a day later, and other files stay', async () => {
  using folder = openBundleFolder();
  folder.bundle({ a: 'one' });
  const [old, fresh] = ['.01a1fa8d-e2f0-7f1e-9cff-1443cf9b7954.draft', '.01a1fa8d-e2f0-7f1e-9cff-1443cf9b7955.draft'];
  folder.write({ [`to/${old}`]: 'x', [`to/${fresh}`]: 'x', 'to/other.draft': 'x' });
  for (const name of [old, 'other.draft']) utimesSync(folder.path('to', name), 1, 1);
  chmodSync(folder.path('to', old), 0o600);
  await copyBundle(await readLocalBundle(folder.directory), directoryTarget(folder.path('to'), installed));
  assert.deepEqual(readdirSync(folder.path('to')).sort(), [fresh, 'gamma.bundle.json', 'other.draft', 'sha256']);
});

describe('ssh', () => {
  test('is told where in words that nobody takes for options', () => {
    assert.deepEqual(parseSshUrl('ssh://deploy@gamma.example:2222/var/lib/a%20b/', '--to'), {
      user: 'deploy',
      host: 'gamma.example',
      port: 2222,
      directory: '/var/lib/a b',
    });
    assert.equal(parseSshUrl('ssh://[2001:db8::1]/x', '--to').host, '2001:db8::1');
    assert.deepEqual(argumentsOf({ user: 'u', host: 'h', port: 22, directory: '/x' }, 'words').slice(-7), [
      '-p',
      '22',
      '-l',
      'u',
      '--',
      'h',
      'words',
    ]);
    assert.equal(
      commandOf('x', ["it's", '$(no)', '-rf']),
      `sh '-c' 'x' 'artifactstore' 'it'\\''s' '$(no)' '-rf'`.replace("sh '", "'sh' '"),
    );
  });

  const wrong = [
    'ssh://-oProxyCommand=x/dir',
    'ssh://host',
    'ssh://host/',
    'ssh://host/a/../b',
    'ssh://host/a/%2e%2e/b',
    'ssh://host/a//b',
    'ssh://host/a%0ab',
    'ssh://host/a%00',
    'ssh://host/%ff',
    'ssh://user:password@host/dir',
    'ssh://-l@host/dir',
    'ssh://a%20b@host/dir',
    'ssh://host/dir?x',
    'ssh://ho%20st/dir',
    'ssh://ho;st/dir',
    'http://host/dir',
  ];
  for (const text of wrong)
    test(`is not told to go to ${text}`, () => {
      assert.throws(
        () => parseSshUrl(text, '--to'),
        (error: Error & { code?: string; field?: string }) =>
          error.code === 'invalid_value' && error.field === '--to' && !error.message.includes('password@'),
      );
    });

  test('that gets nowhere, or finds no place, is told with its words', async () => {
    using folder = openBundleFolder();
    folder.bundle({ a: 'one' });
    const local = await readLocalBundle(folder.directory);
    const at = (host: string, directory: string) =>
      copyBundle(
        local,
        sshTarget(parseSshUrl(`ssh://${host}${directory}`, '--to'), { mode: 0o644, create: true, environment: standInSsh(folder) }),
      );
    await assert.rejects(at('nowhere', '/x'), /did not get to nowhere:\/x: ssh: Could not resolve hostname nowhere/);
    await assert.rejects(at('nowhere', '/x'), { code: 'server_unreachable' });
    folder.write({ file: 'x' });
    await assert.rejects(at('host', folder.path('file/in')), { code: 'storage_unavailable' });
    const withoutSsh = sshTarget(parseSshUrl('ssh://host/x', '--to'), { mode: 0o644, environment: { PATH: folder.path('nothing') } });
    await assert.rejects(copyBundle(local, withoutSsh), { code: 'local_file_failed' });
  });
});

test('a manifest by another name is read where it is, and a directory without one is told', async () => {
  using folder = openBundleFolder();
  folder.write({ 'x/y.json': JSON.stringify(manifestOf({ a: 'one' })) });
  assert.equal((await readLocalBundle(folder.path('x/y.json'))).directory, folder.path('x'));
  await assert.rejects(readLocalBundle(folder.path('x')), /There is no bundle.json/);
  await assert.rejects(readLocalBundle(folder.path('none')), { code: 'invalid_path' });
});

test('ssh is given what it needs of the environment, and no secret', async () => {
  const needed = { PATH: '/bin', HOME: '/root', USER: 'u', LC_ALL: 'C', LANG: 'C', SSH_AUTH_SOCK: '/run/agent', XDG_RUNTIME_DIR: '/run' };
  const others = { ARTIFACTSTORE_API_TOKEN: 'hush', AWS_SECRET_ACCESS_KEY: 'hush', VAULT_TOKEN: 'hush', LD_PRELOAD: 'x', DISPLAY: ':0' };
  assert.deepEqual(environmentOf({ ...needed, ...others }), needed);
  assert.equal(environmentOf({ ...others, SSH_ASKPASS: '/bin/ask' }).DISPLAY, ':0');
  // It is what the program is started with.
  using folder = openBundleFolder();
  const environment = standInSsh(folder);
  folder.write({ 'real-ssh': readFileSync(folder.path('bin/ssh')) });
  folder.write({ 'bin/ssh': `#!/bin/sh\nenv > ${folder.path('environment')}\nexec bash ${folder.path('real-ssh')} "$@"\n` });
  const target = sshTarget(parseSshUrl(`ssh://host${folder.path('there')}`, '--to'), {
    mode: 0o644,
    create: true,
    environment: { ...environment, ...others },
  });
  await target.digestsOf([], undefined);
  const seen = readFileSync(folder.path('environment'), 'utf8');
  assert.match(seen, /^HOME=/m);
  assert.doesNotMatch(seen, /hush/);
});
