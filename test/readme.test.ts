import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

const root = new URL('..', import.meta.url).pathname;

describe('the README', () => {
  it("has a ten-line example that runs as it stands, with the package's own name", async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
    const lines = example.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('import'));
    assert.ok(lines.length <= 10, `${lines.length} lines`);

    const directory = await mkdtemp(join(tmpdir(), 'artifactstore-readme-'));
    try {
      // The published package is compiled; in a clone its name stands for the source.
      await writeFile(join(directory, 'example.ts'), example.replace("'artifactstore'", JSON.stringify(`${root}src/index.ts`)));
      const { stdout } = await promisify(execFile)(process.execPath, ['example.ts'], { cwd: directory });
      assert.match(stdout, /^hello, evidence\nblake3:[0-9a-f]{64}\n$/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('is short, and shows a terminal and the console', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    assert.ok(readme.split('\n').length <= 100);
    assert.match(readme, /!\[A terminal: .*\]\(docs\/pictures\/terminal\.svg\)/);
    assert.match(readme, /!\[The console: .*\]\(docs\/pictures\/console\.png\)/);
    assert.ok((await readFile(join(root, 'docs', 'pictures', 'console.png'))).length < 150_000);
  });

  it('names files and folders that exist, in its tree and its links', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const tree = /## Where things are\n\n```\n(.*?)```/s.exec(readme)![1]!;
    const named = [...tree.matchAll(/^(\S+\/?)\s/gm), ...readme.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
    assert.ok(named.length > 12);
    for (const name of named)
      await assert.doesNotReject(
        readFile(join(root, name)).catch((error) => (error.code === 'EISDIR' ? '' : Promise.reject(error))),
        name,
      );
  });
});
