import assert from 'node:assert/strict';
import test from 'node:test';
import { moduleUrl } from '../../src/runtime/module-url.ts';

test('a module loaded by URL is TypeScript beside the source and JavaScript beside the compiled code', () => {
  assert.equal(moduleUrl('./hash-worker.ts', 'file:///clone/src/dataplane/stage.ts').href, 'file:///clone/src/dataplane/hash-worker.ts');
  assert.equal(moduleUrl('./hash-worker.ts', 'file:///app/dist/dataplane/stage.js').href, 'file:///app/dist/dataplane/hash-worker.js');
});
