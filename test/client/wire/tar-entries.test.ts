import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offsetsInTar } from '../../../src/client/wire/tar-entries.ts';
import { tarEnd, tarEntryHead, tarPadding } from '../../../src/protocol/tar-write.ts';

const file = (relative_path: string, size_bytes: number) => ({ relative_path, size_bytes });
const files = [file('a', 1), file('empty', 0), file(`long/${'x'.repeat(200)}`, 512), file('ü', 700)];

function tarOf(entries: typeof files, end = tarEnd()): Buffer {
  const parts = entries.flatMap(({ relative_path: path, size_bytes: sizeBytes }, index) => [
    tarEntryHead({ path, sizeBytes, executable: false, mtime: 0 }),
    Buffer.alloc(sizeBytes, index + 1),
    tarPadding(sizeBytes),
  ]);
  return Buffer.concat([...parts, end]);
}

test('the bytes of each file are found in an archive of just these files', () => {
  const archive = tarOf(files);
  const offsets = offsetsInTar(archive, files)!;
  for (const [index, { size_bytes }] of files.entries())
    assert.ok(archive.subarray(offsets[index]!, offsets[index]! + size_bytes).equals(Buffer.alloc(size_bytes, index + 1)), `${index}`);
});

test('any other archive is none', () => {
  const archive = tarOf(files);
  for (const other of [
    tarOf(files.toReversed()),
    tarOf(files.slice(1)),
    tarOf(files.slice(0, -1)),
    tarOf([...files, file('more', 1)]),
    tarOf([file('a', 2), ...files.slice(1)]),
    tarOf(files, tarEnd().subarray(512)),
    Buffer.concat([archive, Buffer.alloc(512)]),
    Buffer.alloc(0),
    Buffer.alloc(archive.length),
  ])
    assert.equal(offsetsInTar(other, files), undefined);
  for (let length = 0; length < archive.length; length += 100) assert.equal(offsetsInTar(archive.subarray(0, length), files), undefined);
});

test('no damage of an archive is an error', () => {
  const archive = tarOf(files);
  for (let at = 0; at < archive.length; at++) {
    const before = archive[at]!;
    for (const value of [0, 0x30, 0x39, 0x80, 0xff]) {
      archive[at] = value;
      const offsets = offsetsInTar(archive, files);
      assert.ok(offsets === undefined || offsets.every((offset, index) => offset + files[index]!.size_bytes <= archive.length));
    }
    archive[at] = before;
  }
});
