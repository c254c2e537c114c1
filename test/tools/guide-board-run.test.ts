import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeGuideBoardRun } from '../../tools/guide-board-run.ts';
import { describeTree } from '../cli/tree.ts';

test('a made-up run is the same for the same options, of the size that is asked for, and says what it holds', async () => {
  const root = mkdtempSync(join(tmpdir(), 'artifactstore-run-'));
  try {
    const path = (name: string): string => join(root, name);
    const tool = fileURLToPath(new URL('../../tools/guide-board-run.ts', import.meta.url));
    const options = ['--items', '40', '--seed', '7', '--run-id', 'run-20260101T000000Z'];
    const { stdout } = await promisify(execFile)(process.execPath, [tool, path('by-command'), ...options]);
    const files = writeGuideBoardRun(path('by-call'), { items: 40, seed: 7, runId: 'run-20260101T000000Z' });
    const tree = describeTree(path('by-call'));
    assert.deepEqual(describeTree(path('by-command')), tree);
    assert.ok(stdout.endsWith(`: ${files} files\n`));
    assert.equal(tree.size, files);
    assert.equal([...tree.keys()].filter((name) => name.startsWith('evidence/')).length, 40);
    const { files: listed } = JSON.parse(readFileSync(path('by-call/exports/export-manifest.json'), 'utf8'));
    assert.deepEqual(
      new Map(listed.map((file: { path: string; sha256: string }) => [file.path, `- ${file.sha256}`])),
      new Map([...tree].filter(([name]) => name !== 'exports/export-manifest.json')),
    );
    writeGuideBoardRun(path('other'), { items: 40, seed: 8, runId: 'run-20260101T000000Z' });
    assert.notDeepEqual(describeTree(path('other')), tree);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
