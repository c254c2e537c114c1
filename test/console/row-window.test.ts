import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockRows, rowWindow } from '../../console/row-window.ts';

const high = (blocks: number, height: number): readonly number[] => Array.from({ length: blocks }, () => height);

test('whole blocks are drawn that are between two heights, and the others keep their room', () => {
  const { first, end, above, below } = rowWindow(10 * blockRows, high(10, 100), 250, 480);
  assert.deepEqual([first, end, above, below], [2 * blockRows, 5 * blockRows, 200, 500]);
});

test('all of the list has the same height wherever one looks', () => {
  for (let from = -500; from < 2_500; from += 50) {
    const { first, end, above, below } = rowWindow(197, high(10, 200), from, from + 600);
    const drawn = Math.ceil((end - first) / blockRows) * 200;
    assert.equal(above + drawn + below, 2_000, `${from}`);
  }
});

test('what was never drawn is taken to be as high as the rest', () => {
  const { above, end, below } = rowWindow(100 * blockRows, [100, 300], 0, 150);
  assert.deepEqual([above, end, below], [0, 2 * blockRows, 98 * 200]);
});

test('beyond the end the last rows are drawn, and of an empty list none', () => {
  const { first, end, above, below } = rowWindow(45, high(3, 100), 9_000, 9_500);
  assert.deepEqual([first, end, above, below], [40, 45, 200, 0]);
  assert.deepEqual(rowWindow(0, [], 0, 500), { first: 0, end: 0, above: 0, below: 0 });
});

test('of a list that is not in sight yet only the first rows are drawn', () => {
  const { first, end, above } = rowWindow(100, high(5, 100), -800, -200);
  assert.deepEqual([first, end, above], [0, 0, 0]);
});
