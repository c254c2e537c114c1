import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { bytesPerSecond, duration, pageLimit, timeOrAge } from '../../../src/cli/terminal/numbers.ts';

test('durations, rates and times as people write them', () => {
  assert.deepEqual(['2w', '30d', '12h', '90m', '45s'].map(duration), [1_209_600_000, 2_592_000_000, 43_200_000, 5_400_000, 45_000]);
  assert.deepEqual(['50MB', '50MB/s', '8MiB', '1.5kB', '1000'].map(bytesPerSecond), [5e7, 5e7, 8_388_608, 1500, 1000]);
  assert.equal(timeOrAge('2026-01-31T13:00:00+01:00'), '2026-01-31T12:00:00.000Z');
  assert.equal(timeOrAge('1d', Date.parse('2026-01-31T12:00:00Z')), '2026-01-30T12:00:00.000Z');
});

test('what is none of them is refused', () => {
  for (const text of ['', '30', 'd', '-1d', '1.5d', '30 d', '1y', '9999999d'])
    assert.throws(() => duration(text), InvalidArgumentError, text);
  for (const text of ['', '0', '0.1B', 'MB', '-1MB', '50 MB', '50Mb', '50MB/min'])
    assert.throws(() => bytesPerSecond(text), InvalidArgumentError, text);
  for (const text of ['', 'yesterday', '2026-02-30T00:00:00Z', '2026-01-31', '999999d'])
    assert.throws(() => timeOrAge(text, Date.parse('2026-01-31T12:00:00Z')), InvalidArgumentError, text);
});

test('a page has 1 to 1000 items', () => {
  assert.deepEqual(['1', '1000'].map(pageLimit), [1, 1000]);
  for (const text of ['0', '1001', '9999', '1e2', '-1', '']) assert.throws(() => pageLimit(text), /from 1 to 1000/);
});
