import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { withoutComments } from '../../source-imports.ts';

const root = join(import.meta.dirname, '../../../src');
const removals = /\.remove\b|\['remove'\]|[{,]\s*remove\b[^{}()]*\}\s*=/g;

/** Of what may see a data plane or a backend: the probes and the client have a `remove` of their own. */
const source = new Map(
  globSync('**/*.ts', { cwd: root, exclude: ['certify/**', 'client/**', '**/conformance/**'] }).map((path) => [
    path.replaceAll('\\', '/'),
    withoutComments(readFileSync(join(root, path), 'utf8')),
  ]),
);

test('stored objects are deleted in one place', () => {
  assert.deepEqual(uses(source, removals), ['registry/objects/remove-dead.ts']);
  // The data plane asks the guard, and the guard its backend. The segments of an upload are no stored objects yet.
  const deletes = /\b(?:backendOf\(\w+\)|backend|storage|inner)\.delete\(/g;
  const segments = 'dataplane/segments/objects.ts';
  const invited = 'dataplane/segments/invited.ts';
  assert.deepEqual(uses(source, deletes), [invited, segments, segments, 'dataplane/streaming.ts', 'storage/guarded.ts']);
  assert.deepEqual(uses(source, /\bnew DeleteObjects?Command\b/g), ['storage/s3/s3.ts']);
});

test('keys are written down as dead in one place', () => {
  assert.deepEqual(uses(source, /\binsertInto\('dead_keys'\)/g), ['registry/operations/objects.ts']);
});

test('every form of a second place is seen', () => {
  const forms = ['dataplane.remove(id, key);', 'later(dataplane.remove);', 'const { open, remove } = plane;', "plane['remove'](id, key);"];
  for (const code of forms) assert.deepEqual(uses(new Map([['a.ts', code]]), removals), ['a.ts'], code);
});

/** A path for each use, so that two in one file are two. */
function uses(files: ReadonlyMap<string, string>, pattern: RegExp): string[] {
  return [...files].flatMap(([path, code]) => [...code.matchAll(pattern)].map(() => path)).sort();
}
