import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyBundle } from '../../../src/bundle/copy/copy-bundle.ts';
import { sshTarget } from '../../../src/bundle/copy/ssh-target.ts';
import { parseSshUrl } from '../../../src/bundle/copy/ssh-url.ts';
import { readLocalBundle } from '../../../src/bundle/local-bundle.ts';
import { freePort } from '../../cli/answering.ts';
import { type BundleFolder, openBundleFolder, sha256Of } from '../bundle-folder.ts';

const sshd = [process.env.ARTIFACTSTORE_TEST_SSHD ?? '', '/usr/sbin/sshd'].find((path) => existsSync(path));

/** A server of this machine's own sshd, with keys of its own, which takes one user by one key. */
describe('a bundle that is copied by a real ssh', {
  skip: sshd === undefined && 'this machine has no sshd (ARTIFACTSTORE_TEST_SSHD names one)',
}, () => {
  let folder: BundleFolder;
  let server: ChildProcess;
  let port: number;
  let environment: Record<string, string>;
  const { username } = userInfo();

  before(async () => {
    folder = openBundleFolder();
    port = await freePort();
    for (const key of ['host', 'user', 'stranger']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', folder.path(key)]);
    const [kind, value] = readFileSync(folder.path('host.pub'), 'utf8').split(' ');
    folder.write({
      authorized: readFileSync(folder.path('user.pub')),
      known: `[127.0.0.1]:${port} ${kind} ${value}\n`,
      sshd: [
        `HostKey ${folder.path('host')}`,
        `AuthorizedKeysFile ${folder.path('authorized')}`,
        'ListenAddress 127.0.0.1',
        'PermitRootLogin prohibit-password',
        'PasswordAuthentication no',
        'StrictModes no',
        'UsePAM no',
        'PidFile none',
      ].join('\n'),
      config: [
        'Host *',
        `  IdentityFile ${folder.path('user')}`,
        '  IdentitiesOnly yes',
        `  UserKnownHostsFile ${folder.path('known')}`,
      ].join('\n'),
      'bin/ssh': `#!/bin/sh\nexec ${execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()} -F ${folder.path('config')} "$@"\n`,
    });
    chmodSync(folder.path('bin/ssh'), 0o755);
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    server = spawn(sshd!, ['-D', '-e', '-f', folder.path('sshd'), '-p', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    server.stderr!.on('data', (chunk) => (said += chunk));
    while (!said.includes('listening')) {
      assert.equal(server.exitCode, null, said);
      await sleep(20);
    }
    environment = { PATH: `${folder.path('bin')}:${process.env.PATH ?? ''}`, HOME: folder.directory };
  });
  after(async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
    folder[Symbol.dispose]();
  });

  const place = (directory: string) => parseSshUrl(`ssh://${username}@127.0.0.1:${port}${encodeURI(directory)}`, '--to');

  test('is there whole, also in a directory whose name a shell would act on', async () => {
    const large = Buffer.alloc(20_000_000, 'abc');
    const directory = folder.path('to/$(touch it);\'x\' & "y"');
    folder.bundle({ 'large.bin': large, small: 'small' });
    await copyBundle(await readLocalBundle(folder.directory), sshTarget(place(directory), { mode: 0o644, create: true, environment }));
    assert.deepEqual(readdirSync(directory).sort(), ['gamma.bundle.json', 'sha256']);
    assert.equal(Buffer.compare(readFileSync(join(directory, 'sha256', sha256Of(large))), large), 0);
    assert.ok(!existsSync(folder.path('to/it')));
  });

  test('is refused in words where nobody lets it in, and where the host is another', async () => {
    folder.bundle({ small: 'small' });
    const local = await readLocalBundle(folder.directory);
    const asStranger = { ...environment, PATH: `${folder.path('stranger-bin')}:${environment.PATH}` };
    folder.write({
      'stranger-bin/ssh': readFileSync(folder.path('bin/ssh'), 'utf8').replace(
        '"$@"',
        `-i ${folder.path('stranger')} -o IdentityAgent=none "$@"`,
      ),
    });
    chmodSync(folder.path('stranger-bin/ssh'), 0o755);
    folder.write({ config: readFileSync(folder.path('config'), 'utf8').replace(/ {2}IdentityFile.*\n/, '') });
    await assert.rejects(copyBundle(local, sshTarget(place(folder.path('no')), { mode: 0o644, create: true, environment: asStranger })), {
      code: 'server_unreachable',
      message: /Permission denied/,
    });
    folder.write({ known: '' });
    await assert.rejects(
      copyBundle(local, sshTarget(place(folder.path('no')), { mode: 0o644, create: true, environment })),
      /Host key verification failed/,
    );
    assert.ok(!existsSync(folder.path('no')));
  });
});
