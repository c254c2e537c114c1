import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isWithin, realPlace } from '../../src/runtime/real-place.ts';

test('a place is found through links, also where it is not there yet', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'artifactstore-place-')));
  try {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    symlinkSync(join(folder, 'a'), join(folder, 'to-a'));
    symlinkSync('circle', join(folder, 'circle'));
    assert.equal(await realPlace(join(folder, 'to-a', 'b')), join(folder, 'a', 'b'));
    assert.equal(await realPlace(join(folder, 'to-a', 'new', 'x')), join(folder, 'a', 'new', 'x'));
    assert.equal(await realPlace(join(folder, 'to-a', '..', 'to-a', 'b', '..')), join(folder, 'a'));
    assert.equal(await realPlace(join(folder, 'circle', 'x')), join(folder, 'circle', 'x'));
    assert.equal(await realPlace('/'), '/');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a neighbour with a longer name is not within', () => {
  assert.deepEqual(
    ['/a/b', '/a/b/c', '/a/bc', '/a', '/'].map((place) => isWithin(place, '/a/b')),
    [true, true, false, false, false],
  );
  assert.equal(isWithin('/a', '/'), true);
});
