import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLongJson } from '../../src/http/body.ts';

test('others are served while the values of a long body are read', async () => {
  const value = { values: Array.from({ length: 50_000 }, (_, index) => index) };
  let served = 0;
  let reading = true;
  const serve = (): void => {
    served += 1;
    if (reading) setImmediate(serve);
  };
  setImmediate(serve);
  const read = await parseLongJson(Buffer.from(JSON.stringify(value)), { maximumValues: 100_000 });
  reading = false;
  assert.deepEqual(read, value);
  assert.ok(served > 10, `${served} times`);
  await assert.rejects(parseLongJson(Buffer.from(JSON.stringify(value)), { maximumValues: 40_000 }), { code: 'body_too_large' });
});
