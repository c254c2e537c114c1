import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Import, importsOf, isRelative, targetOf, withoutComments } from '../source-imports.ts';

const root = join(import.meta.dirname, '..', '..');
/** What is bundled into the console, with its licence beside it (`tools/build-console.ts`). */
const bundled = ['@preact/signals', 'hash-wasm', 'preact', 'preact/hooks'];

test('the console sees itself, types of the door of the registry and functions of the kernel', () => {
  const found = globSync('console/**/*.{ts,tsx}', { cwd: root, exclude: ['console/dist/**'] }).flatMap((path) =>
    importsOf(withoutComments(readFileSync(join(root, path), 'utf8'))).flatMap((each) => violation(path, each)),
  );
  assert.deepEqual(found, []);
});

test('an import of anything else is found', () => {
  const of = (line: string): readonly string[] => importsOf(line).flatMap((each) => violation('console/pages/x.tsx', each));
  assert.deepEqual(of("import { a } from '../parts/a.tsx';\nimport type { B } from '../../src/registry/REGISTRY.ts';"), []);
  assert.deepEqual(of("import { a } from '../../src/kernel/access.ts';\nimport { render } from 'preact';"), []);
  for (const line of [
    "import { a } from '../../src/registry/REGISTRY.ts';",
    "import type { A } from '../../src/registry/local.ts';",
    "import { a } from '../../src/client/connect.ts';",
    "import { a } from '../../test/a.ts';",
    "import { join } from 'node:path';",
    "import fc from 'fast-check';",
  ])
    assert.equal(of(line).length, 1, line);
});

function violation(path: string, each: Import): readonly string[] {
  if (!isRelative(each)) return bundled.includes(each.specifier) ? [] : [`${path}: may not import ${each.specifier}`];
  const target = targetOf(path, each);
  const may = target.startsWith('console/') || target.startsWith('src/kernel/') || (target === 'src/registry/REGISTRY.ts' && each.typeOnly);
  return may ? [] : [`${path}: may not import ${target}`];
}
