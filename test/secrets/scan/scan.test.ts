import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scanForSecrets } from '../../../src/secrets/scan/scan.ts';

const root = mkdtempSync(join(tmpdir(), 'artifactstore-scan-'));
after(() => rmSync(root, { recursive: true, force: true }));
const known = [
  { name: 'KEY', value: 'hush-hush-hush' },
  { name: 'SHORT', value: 'abc' },
];

function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = join(root, name);
  mkdirSync(join(directory, 'deep/er'), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
  return directory;
}

test('says where a value is and in which form, and of what it says nothing', async () => {
  const long = 'x'.repeat(1_048_576 - 5);
  const directory = folder('leaks', {
    'a.log': 'begin hush-hush-hush end',
    'deep/er/b.json': `{"b":"${Buffer.from('..hush-hush-hush..').toString('base64')}"}`,
    'deep/c.log': gzipSync(`zz${long}hush-hush-hush`),
    'long.txt': `${long}hush-hush-hush${long}hush-hush-hush`,
    'shape.txt': 'DB_PASSWORD=correcthorse',
  });
  const report = await scanForSecrets(directory, known);
  assert.deepEqual(
    report.leaks.map(({ path, offset, secret, form }) => `${path} ${offset} ${secret} ${form}`),
    [
      'a.log 6 KEY plain',
      `deep/c.log ${long.length + 2} KEY plain`,
      'deep/er/b.json 9 KEY base64',
      `long.txt ${long.length} KEY plain`,
      `long.txt ${2 * long.length + 14} KEY plain`,
      'shape.txt 0 value of a secret setting shape',
    ],
  );
  assert.deepEqual([report.ok, report.files, report.too_short, report.not_looked_at], [false, 5, ['SHORT'], []]);
  assert.ok(!JSON.stringify(report).includes('hush-hush'));
});

test('is not content with what it could not look at', async () => {
  const directory = folder('unseen', {
    'ok.txt': 'nothing',
    'half.gz': gzipSync('x'.repeat(1000)).subarray(0, 20),
    'a.zip': 'PK',
    'b.bin': 'PK\x03\x04..',
  });
  symlinkSync('/etc/passwd', join(directory, 'link'));
  const { ok, files, leaks, not_looked_at } = await scanForSecrets(directory, known);
  assert.deepEqual([ok, files, leaks], [false, 1, []]);
  assert.deepEqual(
    not_looked_at.map(({ path, reason }) => `${path}: ${reason}`),
    [
      'a.zip: it is packed in a form that is not read here',
      'b.bin: it is packed in a form that is not read here',
      'half.gz: it is no whole gzip file',
      'link: it is a link',
    ],
  );
});

test('takes one file, or a link to one, for what it is, by its name', async () => {
  const directory = folder('alone', { 'a.log': 'hush-hush-hush', 'b.zip': 'hush-hush-hush' });
  symlinkSync(join(directory, 'a.log'), join(directory, 'link'));
  const found = await scanForSecrets(join(directory, 'a.log'), known);
  assert.deepEqual([found.files, found.leaks.map(({ path }) => path)], [1, ['a.log']]);
  for (const [name, reason] of [
    ['b.zip', /packed/],
    ['link', /link/],
  ] as const) {
    const { ok, not_looked_at } = await scanForSecrets(join(directory, name), known);
    assert.deepEqual([ok, not_looked_at.map(({ path }) => path)], [false, [name]]);
    assert.match(not_looked_at[0]?.reason ?? '', reason);
  }
});

test('is not content where there is nothing to look at, or nothing to look for', async () => {
  assert.equal((await scanForSecrets(folder('empty', {}), known)).ok, false);
  const { ok, searched } = await scanForSecrets(folder('unasked', { a: 'one' }), [{ name: 'SHORT', value: 'abc' }]);
  assert.deepEqual([ok, searched], [false, 0]);
});

test('is content with what holds nothing', async () => {
  const { ok, files, bytes } = await scanForSecrets(folder('clean', { a: 'one', 'deep/b': 'two2' }), known);
  assert.deepEqual([ok, files, bytes], [true, 2, 7]);
});
