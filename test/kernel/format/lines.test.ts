import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOf } from '../../../src/kernel/format/lines.ts';

test('a line ends at a line feed and nowhere else, wherever the chunks are cut', async () => {
  const lines = ['{"a":"x\u2028y\u2029z\u0085"}', '', 'c\rd', 'ü€𝄞', 'the last'];
  const bytes = Buffer.from(`\ufeff${lines.join('\n')}`);
  for (const length of [1, 2, 5, bytes.length]) {
    async function* chunks(): AsyncIterable<Uint8Array> {
      for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
    }
    assert.deepEqual(await Array.fromAsync(linesOf(chunks())), lines, `${length}`);
  }
});

test('nothing has no line, and a line feed at the end begins none', async () => {
  async function* of(...texts: readonly string[]): AsyncIterable<Uint8Array> {
    for (const text of texts) yield Buffer.from(text);
  }
  assert.deepEqual(await Array.fromAsync(linesOf(of())), []);
  assert.deepEqual(await Array.fromAsync(linesOf(of('a\n', 'b\n'))), ['a', 'b']);
});
