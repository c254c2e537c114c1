import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createOutput } from '../../../src/cli/terminal/output.ts';
import { createProgress } from '../../../src/cli/terminal/progress.ts';

test('a bar counts bytes, back again too, and fits the terminal', async () => {
  const said: string[] = [];
  const terminal = Object.assign(
    new PassThrough().on('data', (chunk: Uint8Array) => void said.push(chunk.toString())),
    { isTTY: true, columns: 70, cursorTo: () => true, clearLine: () => true },
  ) as unknown as NodeJS.WriteStream;
  const output = createOutput({ stdout: terminal, stderr: terminal, environment: {}, json: false, quiet: false, color: true });
  const progress = await createProgress(output, 'pushing', 3_145_728);
  progress.advance(2_097_152);
  progress.advance(-1_048_576);
  progress.stop();
  const text = said.join('');
  assert.match(text, /pushing ░+ 0% 0 B of 3\.0 MiB/);
  assert.match(text, /pushing █+░+ 33% 1\.0 MiB of 3\.0 MiB/);
  assert.doesNotMatch(text, /NaN|INF|NF|NULL/);
  const bars = text.match(/[█░]+/g) ?? [];
  for (const bar of bars) assert.ok(bar.length <= 20, bar);
});
