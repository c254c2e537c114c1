import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypeOf } from '../../src/protocol/media-type.ts';

test('the media type is that of the ending, and a name without one is taken for no ending', () => {
  const unknown = 'application/octet-stream';
  for (const [path, type] of [
    ['a.txt', 'text/plain'],
    ['deep/b.JSON', 'application/json'],
    ['a.tar.gz', 'application/gzip'],
    ['.hidden.html', 'text/html'],
    ['f', unknown],
    ['deep/md', unknown],
    ['site.html/c', unknown],
    ['.json', unknown],
    ['ends.', unknown],
    ['a.nothing-known', unknown],
  ] as const)
    assert.equal(mediaTypeOf(path), type, path);
});
