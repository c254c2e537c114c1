import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewColumns } from '../../../src/database/columns.ts';
import { viewKeys } from '../../../src/kernel/views/view.ts';

test('every view has a key, of columns that it has', () => {
  assert.deepEqual(Object.keys(viewKeys).sort(), Object.keys(viewColumns).sort());
  for (const [table, key] of Object.entries(viewKeys)) {
    assert.ok(key.length > 0);
    for (const column of key) assert.ok(column in viewColumns[table as keyof typeof viewColumns], `${table}.${column}`);
  }
});
