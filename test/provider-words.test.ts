import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const root = join(import.meta.dirname, '..');

/** What providers, their programs and their permissions are called. */
const providerWord = /cloudflare|(?<![a-z0-9])(?:r2|ceph|radosgw|rgw|iam)(?![a-z0-9])|account api token|admin ops/i;

/** Files outside of src/provider/ that have one, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'src/cli/commands/provider-import-admin-pair.ts': 'the example in its help names a provider',
};

test('what a provider is called is known in src/provider/ only', () => {
  const files = globSync('src/**/*', { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  const found = wordsIn(new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')])));
  assert.deepEqual(Object.keys(found), Object.keys(exceptions), JSON.stringify(found));
});

test('a planted word is found in every form, and what only looks like one is not', () => {
  for (const text of ['Cloudflare', "kind: 'cloudflare-r2'", 'an R2 bucket', 'ceph_admin', 'radosgw-admin', 'arn:aws:iam::1', 'the RGW'])
    assert.deepEqual(Object.keys(wordsIn(new Map([['src/storage/s3/x.ts', text]]))), ['src/storage/s3/x.ts'], text);
  const others = 'r200 cephalopod miami drawn r2d2 iamb';
  assert.deepEqual(wordsIn(new Map([['src/a.ts', others]])), {});
  assert.deepEqual(wordsIn(new Map([['src/provider/a.ts', 'ceph']])), {});
});

/** The first such word, by the file that has it. */
function wordsIn(files: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...files].flatMap(([path, text]) => {
      const word = path.startsWith('src/provider/') ? undefined : providerWord.exec(text)?.[0];
      return word === undefined ? [] : [[path, word]];
    }),
  );
}
