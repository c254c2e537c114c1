import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { builtInRetentionClasses, decideExpiry } from '../../src/kernel/retention.ts';
import type { Timestamp } from '../../src/kernel/time.ts';

const created = '2024-02-28T12:00:00.500Z' as Timestamp;

test('each built-in class decides the expiry of a package', () => {
  const decisions = builtInRetentionClasses.map(({ slug, default_duration_seconds }) => [
    slug,
    decideExpiry(created, default_duration_seconds),
  ]);
  assert.deepEqual(Object.fromEntries(decisions), {
    transient: '2024-02-29T12:00:00.500Z',
    'raw-evidence': '2024-05-28T12:00:00.500Z',
    'summary-evidence': '2025-02-27T12:00:00.500Z',
    'release-evidence': '2031-02-26T12:00:00.500Z',
    'permanent-record': null,
  });
});

test('a time that cannot be written is refused, not wrapped', () => {
  assert.throws(
    () => decideExpiry(created, 1e12),
    (error) => isArtifactstoreError(error, 'invalid_value'),
  );
  assert.equal(decideExpiry(created, 0), created);
});
