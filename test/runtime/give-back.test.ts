import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBack } from '../../src/runtime/give-back.ts';

test('memory of its own is given back', () => {
  for (const chunk of [new Uint8Array(16_384), Buffer.allocUnsafeSlow(1_048_576)]) {
    giveBack(chunk);
    assert.equal(chunk.byteLength, 0);
    assert.equal(chunk.buffer.detached, true);
  }
});

test('memory that others may use stays as it is', () => {
  const whole = new Uint8Array(65_536).fill(7);
  for (const chunk of [whole.subarray(1), Buffer.from('short'), new Uint8Array(16_383), Buffer.from(new SharedArrayBuffer(65_536))]) {
    const { byteLength } = chunk;
    giveBack(chunk);
    assert.equal(chunk.byteLength, byteLength);
  }
  assert.ok(whole.every((byte) => byte === 7));
});
