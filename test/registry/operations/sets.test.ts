import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Transaction } from '../../../src/database/DATABASE.ts';
import { openDatabase } from '../../../src/database/open.ts';
import { ArtifactstoreError } from '../../../src/kernel/error.ts';
import { decideEach } from '../../../src/registry/operations/sets.ts';
import type { OperationsWithSets } from '../operations-with-sets.ts';
import { setsProperty } from './sets-property.ts';

const operations = { url: new URL('../operations-with-sets.ts', import.meta.url) };

/** Outcomes without which the property says little. */
const expected = [
  ...['done', 'quota_exceeded'].map((code) => `package.create: ${code}`),
  ...['added', 'publish', 'path_conflict', 'quota_exceeded'].map((code) => `file.add: ${code}`),
  'file.attach: done',
  'package.finalize: sealed',
];

test('a set does what its inputs do one by one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  let opened = 0;
  try {
    const open = () =>
      openDatabase<OperationsWithSets>({ kind: 'sqlite', path: join(directory, `${opened++}.db`) }, { operations, migrate: true });
    const seen = new Set<string>();
    // Few rounds leave one of them out now and then.
    for (let time = 0; time < 4 && !expected.every((each) => seen.has(each)); time++)
      for (const each of await setsProperty(open, Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 12))) seen.add(each);
    for (const each of expected) assert.ok(seen.has(each), `${each} occurs: ${[...seen].sort().join(', ')}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('an input that is refused after it has appended ends its set', async () => {
  const transaction = { append: () => 1, insert() {} } as unknown as Transaction;
  const refuse = () => {
    throw new ArtifactstoreError('path_conflict', 'refused');
  };
  assert.deepEqual((await decideEach(transaction, [1], refuse)).map(Object.keys), [['error']]);
  for (const change of [(own: Transaction) => own.append({} as never), (own: Transaction) => own.insert('idempotency_keys', {} as never)])
    await assert.rejects(
      decideEach(transaction, [1], (own) => {
        change(own);
        return refuse();
      }),
      /refused/,
    );
});
