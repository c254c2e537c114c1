import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldCount } from '../../src/http/field-count.ts';

test('counts the fields of a name in any case, and no values', () => {
  const rawHeaders = ['Host', 'a', 'x', 'host', 'HOST', 'b', 'Hosts', 'c', 'host', 'Host'];
  assert.equal(fieldCount({ rawHeaders }, 'host'), 3);
  assert.equal(fieldCount({ rawHeaders }, 'hosts'), 1);
  assert.equal(fieldCount({ rawHeaders }, 'authorization'), 0);
});
