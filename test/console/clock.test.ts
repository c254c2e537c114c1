import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverNow, tellServerTime } from '../../console/parts/clock.ts';

const answerOf = (time: number) => ({ headers: new Headers({ date: new Date(time).toUTCString() }) });
/** By so much the server's clock is taken to be ahead, to the nearest minute. */
const minutesAhead = (): number => Math.round((serverNow() - Date.now()) / minute) + 0;
const minute = 60_000;

test('the clock of the server is known to be another one by its answers, and not by how long they take', () => {
  tellServerTime(answerOf(Date.now()), Date.now());
  assert.equal(minutesAhead(), 0);
  // It was said right after the question, or right before it came.
  for (const saidAt of [-10 * minute, 0]) {
    tellServerTime(answerOf(Date.now() + saidAt), Date.now() - 10 * minute);
    assert.equal(minutesAhead(), 0);
  }
  tellServerTime(answerOf(Date.now() + 90 * minute), Date.now());
  assert.equal(minutesAhead(), 90);
  // A slow one says at most and at least how much it is.
  tellServerTime(answerOf(Date.now()), Date.now() - 10 * minute);
  assert.equal(minutesAhead(), 10);
  tellServerTime(answerOf(Date.now() - 60 * minute), Date.now());
  assert.equal(minutesAhead(), -60);
  tellServerTime(answerOf(Date.now()), Date.now() - 10 * minute);
  assert.equal(minutesAhead(), 0);
  tellServerTime({ headers: new Headers() }, Date.now());
  assert.equal(minutesAhead(), 0);
});
