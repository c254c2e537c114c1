import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isManifestName, openServedBundles } from '../../src/bundle/served-bundles.ts';
import { manifestOf, openBundleFolder, sha256Of } from './bundle-folder.ts';

describe('the bundles of a directory', () => {
  test('are those whose manifests lie directly in it', async () => {
    using folder = openBundleFolder();
    folder.bundle({ a: 'one', 'sub/a': 'two' });
    folder.bundle({ b: 'two' }, { name: 'other', release: '1' }, 'other.1.bundle.json');
    folder.bundle({ c: 'three' }, {}, 'sub/bundle.json');
    folder.bundle({ d: 'four' }, {}, 'notes.json');
    const { bundles, unusable, withDigest } = await openServedBundles(folder.directory).look();
    assert.deepEqual(
      bundles.map(({ name, release }) => [name, release]),
      [
        ['gamma', undefined],
        ['other', '1'],
      ],
    );
    assert.deepEqual(unusable, []);
    assert.deepEqual(
      withDigest(sha256Of('two')).map(({ name }) => name),
      ['sub/a', 'b'],
    );
    assert.deepEqual([withDigest(sha256Of('three')), withDigest(sha256Of('four'))], [[], []]);
    assert.deepEqual(['bundle.json', 'x.bundle.json', '.bundle.json', 'bundle.json.draft', 'xbundle.json'].filter(isManifestName), [
      'bundle.json',
      'x.bundle.json',
      '.bundle.json',
    ]);
  });

  test('are read again when a manifest has changed, and not otherwise', async () => {
    using folder = openBundleFolder();
    folder.bundle({ a: 'one' });
    const served = openServedBundles(folder.directory);
    const before = await served.look();
    assert.equal(await served.look(), before);
    await new Promise((resolve) => setTimeout(resolve, 20));
    folder.write({ 'bundle.json': JSON.stringify(manifestOf({ a: 'two' })) });
    assert.equal((await served.look()).withDigest(sha256Of('one')).length, 0);
    rmSync(folder.path('bundle.json'));
    assert.deepEqual((await served.look()).bundles, []);
  });

  test('are told apart from those whose manifest cannot be used', async () => {
    using folder = openBundleFolder();
    using elsewhere = openBundleFolder();
    elsewhere.bundle({ a: 'one' });
    folder.bundle({ b: 'two' });
    symlinkSync(elsewhere.path('bundle.json'), folder.path('link.bundle.json'));
    mkdirSync(folder.path('folder.bundle.json'));
    writeFileSync(folder.path('broken.bundle.json'), '{');
    writeFileSync(folder.path('long.bundle.json'), Buffer.alloc(8_388_609, ' '));
    const { bundles, unusable } = await openServedBundles(folder.directory).look();
    assert.equal(bundles.length, 1);
    assert.deepEqual(
      unusable.map(({ file, error }) => [file, error.code]),
      [
        ['broken.bundle.json', 'malformed_json'],
        ['folder.bundle.json', 'integrity_failure'],
        ['link.bundle.json', 'integrity_failure'],
        ['long.bundle.json', 'invalid_value'],
      ],
    );
    await assert.rejects(openServedBundles(folder.path('not-there')).look(), { code: 'local_file_failed' });
  });
});
