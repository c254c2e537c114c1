import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rightsShown } from '../../console/rights.ts';
import { allows, type Grant } from '../../src/kernel/access.ts';

const verdicts = (grants: readonly Grant[], producer?: string): string =>
  rightsShown(grants, producer)
    .map(({ right, verdict }) => `${right} ${verdict}`)
    .join(', ');

test('a right is given for all, in part or not at all', () => {
  assert.equal(verdicts([{ role: 'admin', producers: [{ glob: '*' }] }]), 'read yes, write yes, keep yes, observe yes, administer yes');
  assert.equal(
    verdicts([{ role: 'admin', producers: [{ glob: 'a*' }] }]),
    'read in-part, write in-part, keep in-part, observe no, administer no',
  );
  assert.equal(verdicts([]), 'read no, write no, keep no, observe no, administer no');
});

test('of one producer it says what the server would decide', () => {
  const grants: readonly Grant[] = [
    { role: 'writer', producers: [{ exact: 'ci' }, { glob: 'acme-*' }] },
    { role: 'keeper', producers: [{ glob: 'a?me-app' }] },
  ];
  for (const producer of ['ci', 'acme-app', 'acme-web', 'other'])
    for (const { right, verdict } of rightsShown(grants, producer))
      assert.equal(verdict === 'yes', allows({ grants }, right, right === 'observe' || right === 'administer' ? undefined : producer));
  const [, , keep] = rightsShown(grants, 'acme-app');
  assert.deepEqual([keep?.roles, keep?.patterns], [['keeper'], [{ glob: 'a?me-app' }]]);
});
