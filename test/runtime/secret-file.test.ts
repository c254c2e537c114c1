import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { staticCredentials } from '../../src/credentials/static.ts';
import { webIdentityCredentials } from '../../src/credentials/web-identity.ts';
import { mountIsReadOnly, readSecretFile } from '../../src/runtime/secret-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'secret-file-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function fileOf(mode: number, name = `file-${mode.toString(8)}`): string {
  const path = join(directory, name);
  writeFileSync(path, 'hush-hush\n');
  chmodSync(path, mode);
  return path;
}

describe('a file that holds a secret', () => {
  test('is taken when nobody else can read or change it', async () => {
    for (const mode of [0o600, 0o400]) assert.deepEqual(await readSecretFile(fileOf(mode)), { text: 'hush-hush' });
  });

  test('is refused otherwise, with the command that mends it', async () => {
    for (const mode of [0o644, 0o604, 0o640, 0o440, 0o666, 0o660, 0o620, 0o601, 0o777]) {
      const path = fileOf(mode);
      const read = await readSecretFile(path);
      assert.ok('problem' in read, mode.toString(8));
      assert.equal(read.fault, 'exposed');
      assert.match(read.problem, new RegExp(`\\(mode 0${mode.toString(8)}\\): run chmod 600 ${path}$`));
      execFileSync('sh', ['-c', read.problem.replace(/^.*: run /, '')]);
      assert.deepEqual(await readSecretFile(path), { text: 'hush-hush' });
    }
    const odd = await readSecretFile(fileOf(0o644, "it's odd"));
    assert.ok('problem' in odd);
    execFileSync('sh', ['-c', odd.problem.replace(/^.*: run /, '')]);
    assert.ok('text' in (await readSecretFile(join(directory, "it's odd"))));
  });

  test('belongs to its reader, or to root', { skip: process.getuid?.() !== 0 && 'only root can give a file away' }, async () => {
    const path = fileOf(0o600, 'of-another');
    chownSync(path, 12_345, 12_345);
    const read = await readSecretFile(path);
    assert.ok('problem' in read);
    assert.equal(read.problem, `belongs to another user (12345) (mode 0600): run chown 0 ${path} && chmod 600 ${path}`);
    execFileSync('sh', ['-c', read.problem.replace(/^.*: run /, '')]);
    assert.deepEqual(await readSecretFile(path), { text: 'hush-hush' });

    const ofRoot = fileOf(0o640, 'of-root');
    chmodSync(directory, 0o755);
    const closed = fileOf(0o600, 'closed');
    process.seteuid!(12_345);
    try {
      assert.deepEqual(await readSecretFile(ofRoot), { text: 'hush-hush' });
      assert.partialDeepStrictEqual(await readSecretFile(closed), { fault: 'forbidden' });
    } finally {
      process.seteuid!(0);
    }
  });

  test('is no link out of its folder', async () => {
    const target = fileOf(0o600, 'target');
    const folder = join(directory, 'folder');
    mkdirSync(join(folder, '..data_1'), { recursive: true });
    symlinkSync(target, join(folder, 'out'));
    const read = await readSecretFile(join(folder, 'out'));
    assert.deepEqual(read, { problem: 'is a link that leads out of its folder: name the file itself', fault: 'exposed' });
    writeFileSync(join(folder, '..data_1/key'), 'hush', { mode: 0o600 });
    symlinkSync('..data_1', join(folder, '..data'));
    symlinkSync('..data/key', join(folder, 'key'));
    assert.deepEqual(await readSecretFile(join(folder, 'key')), { text: 'hush' });
    symlinkSync('round', join(folder, 'round'));
    assert.partialDeepStrictEqual(await readSecretFile(join(folder, 'round')), { fault: 'malformed' });
  });

  test('is told from what is not there, and from what this process may not read', async () => {
    assert.partialDeepStrictEqual(await readSecretFile(join(directory, 'nothing')), { fault: 'missing' });
    assert.partialDeepStrictEqual(await readSecretFile(join(fileOf(0o600, 'plain'), 'below')), { fault: 'missing' });
  });

  test('loses its byte order mark and the line end at its end, and is not empty', async () => {
    for (const [bytes, read] of [
      ['\uFEFFhush\r\n', { text: 'hush' }],
      ['hush\n\n', { text: 'hush\n' }],
      ['', { problem: 'is empty', fault: 'empty' }],
      ['\uFEFF \n', { problem: 'is empty', fault: 'empty' }],
      [Buffer.from('\uFEFFhush', 'utf16le'), { problem: 'is not text in UTF-8', fault: 'malformed' }],
    ] as const) {
      const path = join(directory, 'form');
      writeFileSync(path, bytes, { mode: 0o600 });
      assert.deepEqual(await readSecretFile(path), read);
    }
  });

  test('is refused by every reader of references, and its value is in no message', async () => {
    const path = fileOf(0o644, 'open');
    const reference = `file:${path}`;
    const keys = staticCredentials({ accessKeyRef: reference, secretKeyRef: reference }, { wait: async () => undefined });
    const role = webIdentityCredentials({
      stsEndpointUrl: 'http://127.0.0.1:1',
      region: 'r',
      roleArn: 'arn:aws:iam:::role/r',
      webIdentityTokenFile: path,
      sessionDurationSeconds: 900,
    });
    for (const credentials of [keys, role])
      await assert.rejects(credentials.keys(), (error: Error) => {
        assert.match(error.message, /run chmod 600 /);
        assert.match(error.message, /ARTIFACTSTORE_S3_/);
        assert.doesNotMatch(inspect(error, { depth: 9 }), /hush/);
        return true;
      });
  });

  test('is a regular file of a sensible length', { timeout: 60_000 }, async () => {
    execFileSync('mkfifo', ['-m', '600', join(directory, 'pipe')]);
    assert.deepEqual(await readSecretFile(join(directory, 'pipe')), { problem: 'is not a regular file', fault: 'malformed' });
    assert.deepEqual(await readSecretFile(directory), { problem: 'is a directory', fault: 'malformed' });
    for (const length of [65_537, 1_048_576]) {
      writeFileSync(join(directory, 'long'), Buffer.alloc(length, 'a'), { mode: 0o600 });
      assert.deepEqual(await readSecretFile(join(directory, 'long')), { problem: 'is longer than 65536 bytes', fault: 'malformed' });
    }
  });

  test('is taken as it is where nobody can change it: on a mount that is read-only', () => {
    const mounts = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
80 27 0:40 / /run/secrets ro,relatime - tmpfs tmpfs rw
81 27 0:41 / /var/run/my\\040secrets rw,relatime shared:1 - tmpfs tmpfs ro,size=4k
82 80 0:42 / /run/secrets/own rw - tmpfs tmpfs rw
`;
    for (const [path, readOnly] of [
      ['/run/secrets/key', true],
      ['/run/secrets/own/key', false],
      ['/run/secrets-of-mine/key', false],
      ['/var/run/my secrets/key', true],
      ['/etc/key', false],
    ] as const)
      assert.equal(mountIsReadOnly(mounts, path), readOnly, path);
    assert.equal(mountIsReadOnly('', '/etc/key'), false);
  });
});
