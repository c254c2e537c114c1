import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { extract, type Header } from 'tar-stream';
import { tarEnd, tarEntryHead, tarPadding } from '../../src/protocol/tar-write.ts';

/** The header as another implementation reads it. */
async function readBack(bytes: Uint8Array): Promise<Header> {
  const reader = extract();
  reader.end(Buffer.concat([bytes, tarEnd()]));
  for await (const entry of reader) {
    entry.resume();
    return entry.header;
  }
  throw new Error('no entry');
}

const segment = fc.stringMatching(/^[a-z]{1,90}$/);

test('another reader finds what was written, in whole blocks', async () => {
  const paths = fc.oneof(
    fc.array(segment, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/')),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }).filter((text) => !/[\0/\\]/.test(text)),
    fc.integer({ min: 95, max: 300 }).map((length) => 'x'.repeat(length)),
  );
  await fc.assert(
    fc.asyncProperty(paths, fc.boolean(), async (path, executable) => {
      const head = tarEntryHead({ path, sizeBytes: 0, executable, mtime: 1_700_000_000 });
      assert.equal(head.length % 512, 0);
      const { name, mode, mtime, type } = await readBack(head);
      assert.deepEqual([name, mode, mtime!.getTime(), type], [path, executable ? 0o755 : 0o644, 1_700_000_000_000, 'file']);
    }),
    { numRuns: 150 },
  );
});

test('a size beyond 8 GiB is in the pax header', () => {
  const text = Buffer.from(tarEntryHead({ path: 'a', sizeBytes: 8 ** 11, executable: false, mtime: 0 })).toString('latin1');
  assert.match(text, /\n?19 size=8589934592\n/);
  assert.equal(tarEntryHead({ path: 'a', sizeBytes: 8 ** 11 - 1, executable: false, mtime: 0 }).length, 512);
});

test('padding fills the last block', () => {
  assert.deepEqual(
    [0, 1, 511, 512, 513].map((size) => tarPadding(size).length),
    [0, 511, 1, 0, 511],
  );
});
