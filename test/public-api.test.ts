import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

describe('the public names', () => {
  it('are these and no others', async () => {
    assert.deepEqual(Object.keys(await import('../src/index.ts')).sort(), [
      'ArtifactstoreError',
      'backendKinds',
      'canonicalJson',
      'connectRegistry',
      'createHasher',
      'decodeCbor',
      'describeDifference',
      'differenceOf',
      'encodeCbor',
      'errorCodes',
      'filesDigestOf',
      'formatAddress',
      'hashFile',
      'isArtifactstoreError',
      'openRegistry',
      'packageFiles',
      'parseAddress',
      'parseJson',
      'parseManifest',
      'parseRelativePath',
      'placeFiles',
      'pullPackage',
      'pushDirectory',
      'readConfig',
      'tokenFromFile',
      'tokenFromGitHubActions',
      'tokenFromGitLabJob',
      'uploadFiles',
      'verifyPackage',
      'version',
      'walkTree',
    ]);
  });

  it('can be imported without anything happening', async () => {
    await import('../src/index.ts');
    assert.ok(process.getActiveResourcesInfo().every((resource) => !/Server|Worker|MessagePort/.test(resource)));
  });
});
