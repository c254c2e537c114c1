import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePaxRecords, parseTarHeader } from '../../src/protocol/tar-read.ts';
import { tarEntryHead } from '../../src/protocol/tar-write.ts';

const plain = () => Buffer.from(tarEntryHead({ path: `${'d'.repeat(90)}/${'f'.repeat(90)}`, sizeBytes: 77, executable: true, mtime: 5 }));

/** With its checksum made right again. */
function changed(change: (block: Buffer) => void): Buffer {
  const block = plain();
  change(block);
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

test('a header says what was written', () => {
  const path = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
  assert.deepEqual(parseTarHeader(plain()), { path, shown: path, mode: 0o755, sizeBytes: 77, type: '0' });
  assert.equal(parseTarHeader(new Uint8Array(512)), 'end');
  const old = parseTarHeader(changed((block) => block.fill(0, 156, 157).fill(0, 257)));
  assert.deepEqual(old, { path: 'f'.repeat(90), shown: 'f'.repeat(90), mode: 0o755, sizeBytes: 77, type: '0' });
});

test('large sizes as GNU writes them', () => {
  const header = parseTarHeader(changed((block) => block.set([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1], 124)));
  assert.equal((header as { sizeBytes: number }).sizeBytes, 2 ** 33 + 1);
  for (const bytes of [Buffer.alloc(12, 0xff), Buffer.from('80ffffffffffffffffffffff', 'hex'), Buffer.from('0000000009\0 ')])
    assert.ok('fault' in (parseTarHeader(changed((block) => block.set(bytes, 124))) as object));
});

test('damage and names that are not UTF-8 are seen', () => {
  const damaged = plain();
  damaged[3]! ^= 1;
  assert.match((parseTarHeader(damaged) as { fault: string }).fault, /checksum/);
  const latin1 = parseTarHeader(changed((block) => block.fill(0, 345).fill(0, 0, 100).write('caf\xe9', 0, 'latin1')));
  assert.deepEqual([(latin1 as { path?: string }).path, (latin1 as { shown: string }).shown], [undefined, 'caf\\xe9']);
});

test('pax records', () => {
  const records = (text: string) => parsePaxRecords(Buffer.from(text));
  assert.deepEqual(
    [...records('11 path=\u00fc\n9 size=1\n')!],
    [
      ['path', '\u00fc'],
      ['size', '1'],
    ],
  );
  assert.deepEqual(records(''), new Map());
  for (const text of ['x', '5 a=b', '6 a=b\nx', '99 a=b\n', '7 a=bcd\n', '6 =ab\n', '06 a=b\n', '0 \n'])
    assert.equal(records(text), undefined, text);
  assert.equal(parsePaxRecords(Buffer.from('7 a=\xe9x\n', 'latin1')), undefined);
});
