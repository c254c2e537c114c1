import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageFaults } from '../../console/parts/acts/package-faults.ts';
import { limits } from '../../src/registry/limits.ts';

const longest = 'x'.repeat(limits.textLength);

test('every field of a new package that is wrong is told, and none that is right', () => {
  assert.deepEqual(packageFaults({ name: longest, producer: '😀'.repeat(limits.textLength), subject: '' }, [{ key: '', value: '' }]), {});
  const faults = packageFaults({ name: '', producer: '', subject: `${longest}x` }, [
    { key: 'a', value: '1' },
    { key: 'a', value: '2' },
  ]);
  assert.deepEqual(Object.keys(faults), ['name', 'producer', 'subject', 'metadata']);
  assert.match(faults.metadata!, /“a” is there twice/);
  assert.match(packageFaults({ name: `${longest}x`, producer: 'ci', subject: '' }, []).name!, /256/);
  assert.match(packageFaults({ name: 'n', producer: 'ci', subject: '' }, [{ key: '', value: '1' }]).metadata!, /no key/);
});
