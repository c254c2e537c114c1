import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../../../../src/kernel/access.ts';
import { tell } from './unseen-cases.ts';

for (const role of ['reader', 'writer'] satisfies Role[])
  test(`that another producer has the same bytes, a ${role} of one is told by nothing`, async () => {
    const [alone, beside] = await Promise.all([tell(role, false), tell(role, true)]);
    for (const [index, told] of beside.entries()) assert.deepEqual(told, alone[index]);
    assert.equal(beside.length, alone.length);
  });
