import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readLocalBundle } from '../../src/bundle/local-bundle.ts';
import { addressedArtifacts, requireDistinctNames } from '../../src/bundle/published.ts';
import { openBundleFolder, sha256Of } from './bundle-folder.ts';

describe('published artifacts', () => {
  test('have their address at a server, also at one with a path', async () => {
    using folder = openBundleFolder();
    folder.bundle({ 'bin/ünder.tar': 'one' });
    const url = `https://host/path/objects/sha256:${sha256Of('one')}/%C3%BCnder.tar`;
    assert.deepEqual(addressedArtifacts([await readLocalBundle(folder.directory)], 'https://host/path/'), {
      'bin/ünder.tar': { url, sha256: sha256Of('one'), size_bytes: 3 },
    });
  });

  test('have one name each, whatever bundle they are of', async () => {
    using one = openBundleFolder();
    using two = openBundleFolder();
    one.bundle({ a: 'one', b: 'one' });
    two.bundle({ c: 'one' });
    const read = async () => [await readLocalBundle(one.directory), await readLocalBundle(two.directory)];
    requireDistinctNames(await read());
    two.bundle({ b: 'one' });
    const bundles = await read();
    assert.throws(() => requireDistinctNames(bundles), { code: 'invalid_value' });
  });
});
