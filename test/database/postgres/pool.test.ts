import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPostgresPool, poolConnections } from '../../../src/database/postgres/pool.ts';

test('whoever waits for a connection is told why none can be had, and not that all are in use', async () => {
  const target = { url: 'postgresql://u:p@127.0.0.1:1/db', readOnly: false };
  const pool = createPostgresPool({ target, statementMilliseconds: 1_000, silenceMilliseconds: 1_000, promptMilliseconds: 1_000 });
  const taken = await Promise.allSettled(Array.from({ length: 3 * poolConnections }, () => pool.take()));
  const reasons = new Set(taken.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason.message) : 'taken')));
  assert.equal(reasons.size, 1, [...reasons].join('\n'));
  assert.match([...reasons].join(), /127\.0\.0\.1:1 .*nothing listens there/);
  await pool.close();
});
