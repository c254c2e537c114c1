import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keepRegistries } from '../../../src/doors/rest/keep-registries.ts';
import { defaultLimits } from '../../../src/http/limits.ts';
import { createMemory } from '../../../src/http/memory.ts';
import { createShares } from '../../../src/http/shares.ts';
import type { Principal } from '../../../src/kernel/access.ts';
import { createFairTurns } from '../../../src/runtime/fair-turns.ts';
import { openTestRegistry } from '../../registry/open-registry.ts';

const principal = (number: number): Principal => ({
  actor: `github:acme/app@refs/heads/${number}`,
  share: `actor ${number}`,
  grants: [{ role: 'reader', producers: [{ exact: 'acme-app' }] }],
});

test('the registries of the principals that came last are kept, and a thousand at most', async () => {
  await using store = await openTestRegistry();
  let made = 0;
  const registryFor = keepRegistries((who) => {
    made += 1;
    return store.as(who);
  });
  const principals = Array.from({ length: 1_001 }, (_, number) => principal(number));
  const [first, ...others] = principals;
  const registry = registryFor(first!);
  assert.equal(registryFor(first!), registry);
  for (const each of others) registryFor(each);
  assert.equal(made, 1_001);
  registryFor(principals.at(-1)!);
  assert.equal(made, 1_001);
  assert.notEqual(registryFor(first!), registry);
  assert.equal(made, 1_002);
});

test('as many principals as an issuer makes up leave nothing behind', async () => {
  await using store = await openTestRegistry();
  const registryFor = keepRegistries(store.as);
  const shares = createShares(defaultLimits);
  const memory = createMemory(defaultLimits);
  const turns = createFairTurns({ what: 'reads', room: 1, waitingOfOne: 10, waitMilliseconds: 10_000 });
  let count = 0;
  const come = async (many: number): Promise<void> => {
    const waiting: Promise<unknown>[] = [];
    for (let index = 0; index < many; index++) {
      const who = principal(count++);
      const registry = registryFor(who);
      // A few of them ask: that is slower.
      if (index % 500 === 0) await registry.packages.list({ limit: 1 });
      const leave = [shares.enter('requests_of_one', who.share), shares.enter('streams_of_one', who.share)];
      const account = memory.open(who.share);
      await account.take(100);
      waiting.push(turns.take(who.share, 1, () => Promise.resolve()));
      account.give();
      for (const each of leave) each();
    }
    await Promise.all(waiting);
  };
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  await come(5_000);
  const grown: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = heap();
    await come(20_000);
    grown.push(heap() - before);
  }
  // What is left behind is so in each round, and what the engine keeps for itself is not: 100 bytes of each are 2 MB.
  assert.ok(Math.min(...grown) < 1_500_000, `${grown} bytes for 20,000 principals each`);
});
