import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { secretsConformance } from '../../src/secrets/conformance.ts';
import { directorySecrets } from '../../src/secrets/directory.ts';
import { secretOf } from '../../src/secrets/secret.ts';

function openDirectory() {
  const root = mkdtempSync(join(tmpdir(), 'secrets-'));
  return {
    root,
    secrets: directorySecrets(root, { mayBeEmpty: true }),
    seed: async (values: Readonly<Record<string, string>>) => {
      for (const [name, text] of Object.entries(values)) {
        mkdirSync(dirname(join(root, name)), { recursive: true, mode: 0o700 });
        writeFileSync(join(root, name), text, { mode: 0o600 });
      }
    },
    close: async () => rmSync(root, { recursive: true, force: true }),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

secretsConformance('directory', async () => openDirectory());

describe('a directory of secrets', () => {
  test("is one whose files and folders are its owner's alone, and has no draft left", async () => {
    using opened = openDirectory();
    await opened.secrets.writer!.put('folder/key', secretOf('hush'), undefined);
    assert.equal(statSync(join(opened.root, 'folder/key')).mode & 0o777, 0o600);
    assert.equal(statSync(join(opened.root, 'folder')).mode & 0o777, 0o700);
    // Somebody was killed while it wrote: what it left has a value.
    writeFileSync(join(opened.root, 'folder', `.${randomUUID()}.draft`), 'hush', { mode: 0o600 });
    await opened.secrets.writer!.put('folder/other', secretOf('hush'), undefined);
    assert.deepEqual(readdirSync(join(opened.root, 'folder')), ['key', 'other']);
  });

  test('that is not there is no empty store', async () => {
    const secrets = directorySecrets(join(tmpdir(), 'no-such-directory'));
    for (const ask of [() => secrets.get('key'), () => secrets.list(), () => secrets.writer!.put('key', secretOf('hush'), undefined)])
      await assert.rejects(
        ask,
        (error) => isArtifactstoreError(error, 'secrets_unavailable') && /it is not there \(ENOENT\)/.test(error.message),
      );
  });

  test('that is empty may be the place of what is not mounted, until somebody says that it is new', async () => {
    using opened = openDirectory();
    const secrets = directorySecrets(opened.root);
    const refuses = async (ask: () => Promise<unknown>): Promise<void> =>
      await assert.rejects(ask, (error) => {
        assert.ok(isArtifactstoreError(error, 'secrets_unavailable'), String(error));
        assert.match(error.message, /is an empty directory: it is new, or what belongs there is not mounted\.$/);
        assert.match(String(error.info?.hint), /--create/);
        return true;
      });
    for (const entry of [undefined, 'lost+found']) {
      if (entry !== undefined) mkdirSync(join(opened.root, entry));
      await refuses(() => secrets.get('key'));
      await refuses(() => secrets.list());
      await refuses(() => secrets.writer!.put('key', secretOf('hush'), undefined));
      await refuses(() => secrets.writer!.probeWrite('key'));
    }
    const version = await opened.secrets.writer!.put('key', secretOf('hush'), undefined);
    assert.equal(await secrets.get('other'), undefined);
    // What was in it may all be gone: the lock stays, and says that a store was here.
    rmSync(join(opened.root, 'key'));
    assert.equal(await secrets.get('key'), undefined);
    assert.ok(version);
  });

  test('that others may change is refused with what mends it', async () => {
    using opened = openDirectory();
    chmodSync(opened.root, 0o770);
    await assert.rejects(opened.secrets.get('key'), (error) => {
      assert.ok(isArtifactstoreError(error, 'secrets_unavailable'));
      assert.equal(error.info?.hint, `run chmod 700 ${opened.root}`);
      return true;
    });
  });

  test('that others may look into is not written to, and is read', async () => {
    using opened = openDirectory();
    const version = await opened.secrets.writer!.put('key', secretOf('hush'), undefined);
    for (const mode of [0o755, 0o750, 0o711]) {
      chmodSync(opened.root, mode);
      for (const write of [
        () => opened.secrets.writer!.put('key', secretOf('hush'), version),
        () => opened.secrets.writer!.probeWrite('key'),
      ])
        await assert.rejects(write, (error) => {
          assert.ok(isArtifactstoreError(error, 'secrets_unavailable'), String(error));
          assert.match(error.message, new RegExp(`is open to others \\(mode 0${mode.toString(8)}\\): nothing is written to it\\.$`));
          assert.equal(error.info?.hint, `run chmod 700 ${opened.root}, if it has secrets and nothing else; name another one otherwise`);
          return true;
        });
      assert.equal((await opened.secrets.get('key'))?.version, version);
      assert.deepEqual(await opened.secrets.list(), ['key']);
    }
    chmodSync(opened.root, 0o700);
    await opened.secrets.writer!.put('key', secretOf('hush-2'), version);
  });

  test('that takes no files is told as such', {
    skip: process.platform !== 'linux' && 'needs /proc',
  }, async () => {
    await assert.rejects(directorySecrets('/proc/self/fd').writer!.probeWrite('key'), (error) => {
      assert.ok(isArtifactstoreError(error, 'secrets_unavailable'), String(error));
      assert.match(error.message, /^The secret store \/proc\/self\/fd takes no files: it is none of a disk\.$/);
      assert.match(String(error.info?.hint), /^name a directory of a disk/);
      return true;
    });
  });

  test('has at most 10,000 files, so that no other directory is taken for one', async () => {
    using opened = openDirectory();
    for (let number = 0; number < 10_001; number += 1) writeFileSync(join(opened.root, String(number)), '');
    await assert.rejects(
      opened.secrets.list(),
      (error) => isArtifactstoreError(error, 'secrets_unavailable') && /has more than 10000 files\.$/.test(error.message),
    );
    rmSync(join(opened.root, '0'));
    assert.equal((await opened.secrets.list()).length, 10_000);
  });

  test('gives nothing that others could read, that leads elsewhere, or that is no text', async () => {
    using opened = openDirectory();
    await opened.seed({ open: 'hush', binary: 'hush', plain: 'hush' });
    chmodSync(join(opened.root, 'open'), 0o644);
    writeFileSync(join(opened.root, 'binary'), Buffer.from([0xff, 0xfe, 0x68]));
    symlinkSync('/etc/hostname', join(opened.root, 'away'));
    mkdirSync(join(opened.root, 'folder'));
    for (const [name, fault, text] of [
      ['open', 'exposed', /run chmod 600 /],
      ['away', 'exposed', /a link that leads out of its folder/],
      ['binary', 'malformed', /not text in UTF-8/],
      ['folder', 'malformed', /is a directory/],
    ] as const)
      await assert.rejects(opened.secrets.get(name), (error) => {
        assert.ok(isArtifactstoreError(error, 'secret_unusable'), String(error));
        assert.equal(error.info?.fault, fault);
        assert.match(error.message, text);
        return true;
      });
    assert.equal(await opened.secrets.get('plain/below'), undefined);
  });

  test('tells what this process may not read or write from what is missing', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async () => {
    using opened = openDirectory();
    await opened.seed({ key: 'hush', 'folder/key': 'hush' });
    chownSync(opened.root, 0, 0);
    chmodSync(opened.root, 0o755);
    process.seteuid!(12_345);
    try {
      for (const name of ['key', 'folder/key', 'folder/none'])
        await assert.rejects(opened.secrets.get(name), (error) => isArtifactstoreError(error, 'secrets_forbidden'), name);
      await assert.rejects(opened.secrets.writer!.put('folder/none', secretOf('hush'), undefined), (error) =>
        isArtifactstoreError(error, 'secrets_forbidden'),
      );
      await assert.rejects(opened.secrets.writer!.probeWrite('key'), (error) => isArtifactstoreError(error, 'secrets_forbidden'));
    } finally {
      process.seteuid!(0);
    }
  });

  test('has one writer at a time, whatever process it is in', async () => {
    using opened = openDirectory();
    const version = await opened.secrets.writer!.put('key', secretOf('hush'), undefined);
    const script = `import { directorySecrets } from './src/secrets/directory.ts'; import { secretOf } from './src/secrets/secret.ts';
      const { writer } = directorySecrets(process.argv[1]);
      const all = await Promise.allSettled([1, 2].map((n) => writer.put('key', secretOf('hush-' + process.pid + n), process.argv[2])));
      console.log(all.filter(({ status }) => status === 'fulfilled').length);`;
    const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, opened.root, version]);
    const won = (await Promise.all([run(), run(), run()])).map(({ stdout }) => Number(stdout));
    assert.equal(
      won.reduce((sum, each) => sum + each, 0),
      1,
    );
  });
});
