import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDoor } from '../doors/rest/open-door.ts';

test('few lists are made at a time, and who asks for many keeps nobody waiting', async () => {
  let now = 0;
  let most = 0;
  const tokens = ['many', 'few'].map((actor) => ({ token: `token-of-${actor}-0123456789`, actor }));
  await using door = await openDoor({
    tokens,
    wrap: (registry) => ({
      ...registry,
      packages: {
        ...registry.packages,
        async encodedList(query) {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setTimeout(resolve, 25));
          return await registry.packages.encodedList(query).finally(() => now--);
        },
      },
    }),
  });
  const order: string[] = [];
  const list = async ({ token, actor }: (typeof tokens)[number]): Promise<void> => {
    const answer = await fetch(`${door.url}/packages`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    await answer.json();
    order.push(actor);
  };
  const many = Array.from({ length: 40 }, () => list(tokens[0]!));
  await many[0];
  await list(tokens[1]!);
  await Promise.all(many);
  assert.ok(order.indexOf('few') < 20, order.join(' '));
  assert.equal(most, 2);
});
