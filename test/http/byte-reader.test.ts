import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createByteReader } from '../../src/http/byte-reader.ts';

/** The text in chunks of so many bytes. */
async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < text.length; start += size) yield Buffer.from(text.slice(start, start + size));
}

async function collect<T>(bytes: AsyncGenerator<Uint8Array, T, undefined>): Promise<readonly [string, T]> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const next = await bytes.next();
    if (next.done === true) return [Buffer.concat(pieces).toString(), next.value];
    pieces.push(next.value);
  }
}

test('reads the same, however the body is cut', async () => {
  for (let size = 1; size < 20; size++) {
    const reader = createByteReader(inChunks('head: 1\r\nab--abc-ab--abdXYZ0123rest', size));
    assert.equal((await reader.takeUntil(Buffer.from('\r\n'), 100))!.toString(), 'head: 1');
    assert.deepEqual(await collect(reader.streamUntil(Buffer.from('ab--abd'))), ['ab--abc-', true]);
    assert.equal((await reader.take(3)).toString(), 'XYZ');
    assert.deepEqual(await collect(reader.stream(4)), ['0123', true]);
    assert.deepEqual(await collect(reader.rest()), ['rest', undefined]);
    assert.equal((await reader.take(1)).length, 0);
  }
});

test('says where the body ends too early', async () => {
  const of = (text: string) => createByteReader(inChunks(text, 3));
  assert.equal((await of('ab').take(5)).toString(), 'ab');
  assert.equal(await of('abc').takeUntil(Buffer.from('x'), 100), undefined);
  assert.equal(await of('abcdefghijklmnopx').takeUntil(Buffer.from('x'), 5), undefined);
  assert.deepEqual(await collect(of('abcd').stream(5)), ['abcd', false]);
  assert.deepEqual(await collect(of('abcd\r').streamUntil(Buffer.from('\r\n'))), ['abcd', false]);
});
