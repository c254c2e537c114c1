import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimOf, parseClaimName } from '../../../src/identity/grants/claim-name.ts';
import { allHold, type Condition, holds, type Wanted } from '../../../src/identity/grants/conditions.ts';
import { indexByConditions, valuesIn } from '../../../src/identity/grants/grant-index.ts';
import type { JsonObject } from '../../../src/kernel/format/json-value.ts';

const claims: JsonObject = {
  ref: 'refs/tags/v1',
  groups: ['dev', 'ops'],
  ref_protected: 'true',
  admin: true,
  level: 3,
  nothing: null,
  'kubernetes.io': { namespace: 'ci', 'a/b': { '~': 'odd' }, pods: [{ name: 'one' }] },
};

const condition = (name: string, ...anyOf: readonly Wanted[]): Condition => ({ claim: parseClaimName(name), anyOf });

test('a claim is named as it is, or by a JSON pointer, and only what is there is found', () => {
  const at = (name: string) => claimOf(claims, parseClaimName(name));
  assert.equal(at('ref'), 'refs/tags/v1');
  assert.equal(at('/kubernetes.io/namespace'), 'ci');
  assert.equal(at('/kubernetes.io/a~1b/~0'), 'odd');
  assert.equal(at('/kubernetes.io/pods/0/name'), 'one');
  assert.equal(at('/groups/1'), 'ops');
  for (const absent of ['kubernetes.io/namespace', '/groups/01', '/groups/length', '/groups/9', '/ref/0', 'constructor', '/__proto__/x'])
    assert.equal(at(absent), undefined, absent);
  for (const name of ['', 'a\u0000', 'half \uD800', '/a~2', '/a//b'])
    assert.throws(() => parseClaimName(name), Error, JSON.stringify(name));
});

test('a condition holds where one of the values is one that is wanted, of the same kind', () => {
  const cases: readonly (readonly [Condition, boolean])[] = [
    [condition('ref', { exact: 'refs/tags/v1' }), true],
    [condition('ref', { exact: 'refs/tags/v' }), false],
    [condition('ref', { exact: 'x' }, { glob: 'refs/tags/*' }), true],
    [condition('ref', { glob: 'tags/*' }), false],
    [condition('groups', { exact: 'ops' }), true],
    [condition('groups', { glob: 'o?s' }), true],
    [condition('groups', { exact: 'dev,ops' }), false],
    [condition('ref_protected', { exact: true }), false],
    [condition('ref_protected', { exact: 'true' }), true],
    [condition('admin', { exact: true }), true],
    [condition('admin', { glob: '*' }), false],
    [condition('level', { exact: 3 }), true],
    [condition('level', { exact: '3' }), false],
    [condition('nothing', { glob: '*' }), false],
    [condition('absent', { glob: '*' }), false],
    [condition('kubernetes.io', { glob: '*' }), false],
    [condition('/kubernetes.io/namespace', { exact: 'ci' }), true],
  ];
  for (const [each, expected] of cases) assert.equal(holds(each, claims), expected, JSON.stringify(each));
  const holding = condition('admin', { exact: true });
  assert.ok(allHold([holding, condition('level', { exact: 3 })], claims));
  assert.ok(!allHold([holding, condition('level', { exact: 4 })], claims));
});

test('the index finds every thing whose conditions hold, in order, and few others', () => {
  const things = Array.from({ length: 500 }, (_, n) => ({
    n,
    conditions: [
      condition('ref', { exact: 'main' }),
      condition('id', ...(n % 7 === 0 ? [{ glob: `*${n}` }] : [{ exact: `${n}` }, { exact: `also ${n}` }])),
      condition('groups', { exact: 'all' }),
    ],
  }));
  const loose = { n: -1, conditions: [condition('id', { glob: '1?' })] };
  const index = indexByConditions([...things, loose]);
  const found = (id: string) => index.candidates(valuesIn({ ref: 'main', groups: ['x', 'all'], id })).map(({ n }) => n);
  assert.ok(found('also 12').includes(12) && found('12').includes(12) && found('12').at(-1) === -1);
  // Those with a pattern wait under what they want of others; the rest are one each.
  assert.equal(found('12').filter((n) => n % 7 !== 0).length, 2);
  assert.deepEqual(
    index.candidates(valuesIn({})).map(({ n }) => n),
    [-1],
  );
});

test('the index has what is wanted by value, by pattern or by either, in the order given', () => {
  const index = indexByConditions([
    { n: 0, conditions: [condition('id', { glob: '1*' })] },
    { n: 1, conditions: [condition('id', { exact: '12' })] },
    { n: 2, conditions: [condition('ref', { exact: 'main' }, { glob: 'release/*' })] },
  ]);
  assert.deepEqual(
    index.candidates(valuesIn({ id: '12', ref: 'release/1' })).map(({ n }) => n),
    [0, 1, 2],
  );
});
