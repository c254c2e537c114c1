import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

// The tests of what computes and leaves nothing behind, in one process: to start one for each file takes longer than
// most of them. `npm test` names the same folders, to leave them out elsewhere. A test that changes its process is not
// for them.
const folders = [
  'bundle',
  'certify',
  'compose',
  'config',
  'console',
  'credentials',
  'deploy',
  'identity',
  'kernel',
  'posture',
  'protocol',
  'secrets',
];
const files = globSync(`{${folders.join(',')}}/**/*.test.ts`, { cwd: import.meta.dirname }).sort();

for (const file of files) await import(join(import.meta.dirname, file));

test('every fast test is run, and once', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  assert.ok(scripts.test.endsWith(` "test/*.test.ts" "test/!(${folders.join('|')})/**/*.test.ts"`), scripts.test);
  for (const folder of folders)
    assert.ok(
      files.some((file) => file.startsWith(`${folder}/`)),
      `${folder} has no test`,
    );
});
