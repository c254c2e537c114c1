import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import {
  administrator,
  allows,
  inScope,
  isSamePrincipal,
  matchesGlob,
  observer,
  type Principal,
  type ProducerPattern,
  type Right,
  type Role,
  rightsOf,
  scopeOf,
  scopeTest,
} from '../../src/kernel/access.ts';

const rights: readonly Right[] = ['read', 'write', 'keep', 'observe', 'administer'];

test('each role has its rights, and no grant has none', () => {
  const with_ = (role: Role): Principal => ({ actor: 'a', share: 'a', grants: [{ role, producers: [{ exact: 'acme' }] }] });
  for (const role of ['reader', 'writer', 'keeper', 'admin', 'observer'] as const)
    for (const right of rights) {
      assert.equal(allows(with_(role), right, 'acme'), rightsOf[role].includes(right), `${role} ${right}`);
      assert.equal(allows(with_(role), right, 'other'), false);
    }
  const nobody: Principal = { actor: 'a', share: 'a', grants: [] };
  for (const right of rights) assert.equal(allows(nobody, right), false);
  assert.deepEqual(scopeOf(nobody, 'read'), []);
  // As docs/access.md has them.
  const told = Object.fromEntries(Object.entries(rightsOf).map(([role, its]) => [role, its.join(' ')]));
  assert.deepEqual(told, {
    reader: 'read',
    writer: 'read write',
    keeper: 'read keep',
    admin: 'read write keep observe administer',
    observer: 'read observe',
  });
});

test('a principal is another one when it has another name, or may do something else', () => {
  const of = (actor: string, ...producers: readonly string[]): Principal => ({
    actor,
    share: actor,
    grants: producers.map((exact) => ({ role: 'reader', producers: [{ exact }] })),
  });
  const principal = of('a', 'acme');
  assert.ok(isSamePrincipal(principal, principal));
  assert.ok(isSamePrincipal(principal, of('a', 'acme')));
  for (const other of [of('b', 'acme'), of('a', 'beta'), of('a', 'acme', 'beta'), of('a')]) assert.ok(!isSamePrincipal(principal, other));
});

test('grants add up', () => {
  const principal: Principal = {
    actor: 'a',
    share: 'a',
    grants: [
      { role: 'reader', producers: [{ glob: 'acme-*' }] },
      { role: 'writer', producers: [{ exact: 'acme-app' }] },
      { role: 'keeper', producers: [{ exact: 'other' }] },
    ],
  };
  const may = (right: Right) => ['acme-app', 'acme-web', 'other', 'acme'].filter((producer) => allows(principal, right, producer));
  assert.deepEqual(may('read'), ['acme-app', 'acme-web', 'other']);
  assert.deepEqual(may('write'), ['acme-app']);
  assert.deepEqual(may('keep'), ['other']);
});

test('who may do everything, and who may read it', () => {
  assert.equal(scopeOf(administrator('a'), 'write'), 'everything');
  assert.equal(scopeOf(observer('a'), 'read'), 'everything');
  assert.deepEqual(scopeOf(observer('a'), 'write'), []);
  assert.ok(inScope('everything', 'any'));
});

test('what is about no producer is given by a grant for all of them', () => {
  const of = (...producers: ProducerPattern[]): Principal => ({ actor: 'a', share: 'a', grants: [{ role: 'admin', producers }] });
  assert.ok(allows(of({ exact: 'acme' }, { glob: '*' }), 'observe'));
  assert.ok(!allows(of({ exact: 'acme' }, { glob: 'a*' }), 'observe'));
  assert.ok(!allows(of({ exact: '*' }), 'administer'));
});

test('names of a scope are looked up as they are matched, however many they are', () => {
  const names = Array.from({ length: 3_000 }, (_, index) => ({ exact: `exact-${index}` }));
  for (const globs of [['team-?-*'], ['team-?-*', 'a*', 'b*', '*-7-*', 'c?']]) {
    const scope = [...names, ...globs.map((glob) => ({ glob }))];
    const sees = scopeTest(scope);
    for (let round = 0; round < 2; round++)
      for (let index = 0; index < 1_500; index++)
        for (const producer of [`exact-${index}`, `team-${index}-app`, `other-${index}`, `other-${index}-b`])
          assert.equal(sees(producer), inScope(scope, producer));
  }
});

test('what globs say is remembered of so many names, and not of more', () => {
  const sees = scopeTest(['a*', 'b*', 'c*', 'd*', 'e*'].map((glob) => ({ glob })));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  for (let number = 0; number < 200_000; number++) assert.equal(sees(`${'az'[number % 2]} producer ${number}`), number % 2 === 0);
  const grown = heap() - before;
  assert.ok(grown < 6_000_000, `${grown} bytes`);
  assert.ok(sees('a'));
});

test('a scope holds just the producers for which the right holds', () => {
  const pattern: fc.Arbitrary<ProducerPattern> = fc.oneof(
    fc.record({ exact: fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 4 }) }),
    fc.record({ glob: fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 4 }) }),
  );
  const grant = fc.record({ role: fc.constantFrom<Role>('reader', 'writer', 'keeper', 'admin'), producers: fc.array(pattern) });
  fc.assert(
    fc.property(
      fc.array(grant),
      fc.constantFrom(...rights),
      fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 5 }),
      (grants, right, producer) => {
        const principal: Principal = { actor: 'a', share: 'a', grants };
        assert.equal(inScope(scopeOf(principal, right), producer), allows(principal, right, producer));
      },
    ),
  );
});

test('a glob matches as a regular expression that is written for it does', () => {
  const unit = fc.constantFrom('a', 'b', '.', '*', '?', '\u{1f600}');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit, maxLength: 10 }), (glob, text) => {
      assert.equal(matchesGlob(glob, text), patternOf(glob).test(text));
    }),
    { numRuns: 2000 },
  );
});

test('every short glob matches as it should: its beginning and ending never share a character', () => {
  const upTo = (length: number, letters: readonly string[]): readonly string[] =>
    length === 0 ? [''] : ['', ...upTo(length - 1, letters).flatMap((rest) => letters.map((letter) => letter + rest))];
  const texts = upTo(4, ['a', 'b']);
  for (const glob of upTo(4, ['a', 'b', '*', '?'])) {
    const pattern = patternOf(glob);
    for (const text of texts) assert.equal(matchesGlob(glob, text), pattern.test(text), `${glob} ${text}`);
  }
});

test('a glob that is made to be slow is not', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(200)), false);
  // 100,000 globs and a long text: their beginnings tell them apart.
  const text = 'a'.repeat(10_000);
  for (let number = 0; number < 100_000; number++) assert.equal(matchesGlob(`b${number}*`, text), false);
});

function patternOf(glob: string): RegExp {
  const source = Array.from(glob, (sign) => (sign === '*' ? '[^]*' : sign === '?' ? '[^]' : sign.replace(/[.]/, '\\$&'))).join('');
  return new RegExp(`^${source}$`, 'u');
}
