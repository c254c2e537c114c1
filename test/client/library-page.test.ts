import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { openServer } from './open-server.ts';

const root = join(import.meta.dirname, '..', '..');

test('the example of docs/library.md runs as it stands', async () => {
  const server = await openServer();
  try {
    const example = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'docs/library.md'), 'utf8'))![1]!;
    const place = join(server.directory, 'example');
    mkdirSync(join(place, 'reports'), { recursive: true });
    writeFileSync(join(place, 'reports', 'report.txt'), 'all is well\n');
    // The published package is compiled; in a clone its name stands for the source.
    const source = example
      .replace("'artifactstore'", JSON.stringify(join(root, 'src/index.ts')))
      .replace('http://127.0.0.1:8000', server.url);
    writeFileSync(join(place, 'example.ts'), source);
    const env = { ...process.env, ARTIFACTSTORE_API_TOKEN: server.token };
    const { stdout } = await promisify(execFile)(process.execPath, ['example.ts'], { cwd: place, env });
    assert.equal(stdout, '1 0 true\n');
    assert.equal(readFileSync(join(place, 'copy', 'report.txt'), 'utf8'), 'all is well\n');
  } finally {
    await server.close();
  }
});

test('the page names all that can be imported', () => {
  const page = readFileSync(join(root, 'docs/library.md'), 'utf8');
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [...page.matchAll(/`(artifactstore(?:\/[a-z/]+)?)`/g)].map(([, name]) => `.${name!.slice('artifactstore'.length)}`);
  assert.deepEqual(
    [...new Set(named)].sort(),
    Object.keys(exports)
      .filter((path) => path !== './package.json')
      .sort(),
  );
});
