import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { readTokenFile } from '../../src/provider/token-file.ts';
import { openPrivateFolder } from './private-file.ts';

describe('the file of a token', () => {
  test('is read without the line end and the byte order mark that an editor leaves', async () => {
    using folder = openPrivateFolder();
    for (const text of ['tok-en_1', 'tok-en_1\n', 'tok-en_1\r\n', '\ufefftok-en_1\n'])
      assert.equal((await readTokenFile(folder.write('token', text))).reveal(), 'tok-en_1');
  });

  const wrong: readonly (readonly [name: string, make: (path: string) => void, code: string, said: RegExp])[] = [
    ['a link', (path) => symlinkSync('/etc/hostname', path), 'local_file_failed', /is a link/],
    ['a directory', (path) => mkdirSync(path), 'local_file_failed', /is a directory/],
    ['a pipe', (path) => void execFileSync('mkfifo', ['-m', '600', path]), 'local_file_failed', /is not a regular file/],
    ['nothing', () => undefined, 'local_file_failed', /it is not there \(ENOENT\)/],
  ];
  for (const [name, make, code, said] of wrong)
    test(`that is ${name} is refused`, async () => {
      using folder = openPrivateFolder();
      const path = join(folder.path, 'token');
      make(path);
      await assert.rejects(readTokenFile(path), (error) => isArtifactstoreError(error) && error.code === code && said.test(error.message));
    });

  test('that is the token itself by mistake is not there, and is not repeated', async () => {
    const folder = '/etc/';
    for (const value of ['v1x-0123456789abcdefABCDEF_0123456789', 'AKIAEXAMPLEEXAMPLE00:hush/hush+hush', '0'.repeat(20) + 'f'.repeat(4000)])
      await assert.rejects(readTokenFile(`${folder}${value}`), (error) => {
        assert.ok(isArtifactstoreError(error, 'local_file_failed'));
        assert.match(error.message, /^What --token-file names is not there\. It is not repeated/);
        assert.match(String(error.info?.hint), /make another one$/);
        return !inspect(error, { depth: 9, showHidden: true }).includes(value.slice(4, 20));
      });
    for (const name of ['cloudflare-account-token-of-slot-a.token', 'cloudflare-account-token-of-slot-a'])
      await assert.rejects(readTokenFile(`${folder}${name}`), (error) => String(error).includes(`${name} cannot be read`));
    // What is there is told by its name, and what lies below a file is not there.
    using own = openPrivateFolder();
    const name = 'v1x-0123456789abcdefABCDEF_0123456789';
    await assert.rejects(readTokenFile(`${own.write('file', 'hush')}/${name}`), /is not repeated/);
    symlinkSync('/etc/hostname', join(own.path, name));
    await assert.rejects(readTokenFile(join(own.path, name)), /is a link/);
  });

  test('is closed, whether it is taken or refused', { skip: process.platform !== 'linux' && 'needs /proc' }, async () => {
    using folder = openPrivateFolder();
    const open = () => readdirSync('/proc/self/fd').filter((fd) => linkOf(fd)?.startsWith(folder.path)).length;
    const linkOf = (fd: string) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return undefined;
      }
    };
    await readTokenFile(folder.write('right', 'hush'));
    await assert.rejects(readTokenFile(folder.write('empty', '')));
    await assert.rejects(readTokenFile(folder.write('long', 'x'.repeat(5000))));
    assert.equal(open(), 0);
  });

  const texts: readonly (readonly [name: string, text: string | Uint8Array, code: string, said: RegExp])[] = [
    ['empty', '', 'authority_unusable', /is empty/],
    ['blank', ' \n', 'authority_unusable', /is empty/],
    ['of 1 MiB', 'x'.repeat(1_048_576), 'local_file_failed', /is longer than 4096 bytes/],
    ['of two words', 'tok en', 'authority_unusable', /more than one word/],
    ['no text', new Uint8Array([0xff, 0xfe, 0x41]), 'authority_unusable', /is not text/],
  ];
  for (const [name, text, code, said] of texts)
    test(`that is ${name} is refused, and nothing of it is said`, async () => {
      using folder = openPrivateFolder();
      const path = folder.write('token', text);
      await assert.rejects(readTokenFile(path), (error) => {
        assert.ok(isArtifactstoreError(error));
        assert.equal(error.code, code);
        assert.match(error.message, said);
        return !`${error.message}${JSON.stringify(error.info)}`.includes('tok en');
      });
    });

  for (const mode of [0o640, 0o604, 0o620, 0o610, 0o601])
    test(`of mode 0${mode.toString(8)} is refused with the command that mends it`, async () => {
      using folder = openPrivateFolder();
      const path = folder.write('token', 'hush');
      chmodSync(path, mode);
      await assert.rejects(readTokenFile(path), (error) => isArtifactstoreError(error) && /chmod 600/.test(String(error.info?.hint)));
    });

  test('of another user is refused', { skip: process.geteuid?.() === 0 ? false : 'only root can give a file away' }, async () => {
    using folder = openPrivateFolder();
    const path = folder.write('token', 'hush');
    chownSync(path, 65534, 65534);
    await assert.rejects(readTokenFile(path), (error) => isArtifactstoreError(error) && /belongs to another user/.test(error.message));
  });
});
