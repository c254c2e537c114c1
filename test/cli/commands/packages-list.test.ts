import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openServedWorkplace } from '../served-workplace.ts';

test('a package is found by the digest of its manifest, and another form is refused by its option', async () => {
  await using served = await openServedWorkplace();
  const { place } = served;
  place.write({ 'tree/a': 'a' });
  const sealed = await place.json<{ readonly package_id: string; readonly manifest_digest: string }>(
    'push',
    'tree',
    '--name',
    'n',
    '--producer',
    'p',
  );
  const found = await place.json<{ readonly items: readonly { readonly id: string }[] }>(
    ...['packages', 'list', '--manifest-digest', sealed.manifest_digest],
  );
  assert.deepEqual(
    found.items.map(({ id }) => id),
    [sealed.package_id],
  );
  const { code, stderr } = await place.run('packages', 'list', '--manifest-digest', sealed.manifest_digest.slice(7));
  assert.equal(code, 2);
  assert.match(stderr, /--manifest-digest: The digest of a manifest is BLAKE3/);
});

test('a metadata key with a dot is refused with the words to type', async () => {
  await using served = await openServedWorkplace();
  const { place } = served;
  const { code, stderr } = await place.run('packages', 'list', '--metadata', "a.b=it's");
  assert.equal(code, 2);
  const [, hint = ''] = /^hint: (.*)$/m.exec(stderr) ?? [];
  assert.equal(hint, `--metadata '"a.b"=it'\\''s'`);
  const asked = await place.shell(`$A packages list ${hint}`);
  assert.deepEqual([asked.code, asked.stderr], [0, 'no packages\n']);
});
