import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Door, openDoor } from './open-door.ts';

// What one principal may send at most, many times at once, beside another's small files.

const eve = 'a-token-of-eve-0123456789';
/** Without turns it was more than 7 seconds on a busy machine, and grows with what is sent at once. */
const longest = 4_000;
const attackMilliseconds = 8_000;

let door: Door;
before(async () => {
  door = await openDoor({
    tokens: [
      { token: 'a-token-for-tests-0123456789', actor: 'tester' },
      { token: eve, actor: 'eve' },
    ],
  });
});
after(() => door[Symbol.asyncDispose]());

const post = async (path: string, type: string, body: string): Promise<Response> => {
  const headers = { authorization: `Bearer ${eve}`, 'content-type': type };
  return await fetch(`${door.url}${path}`, { method: 'POST', headers, body });
};
const newPackage = (metadata: object): string =>
  JSON.stringify({ name: 'n', producer: 'eve', subject: 's', retention_class: 'transient', metadata });

/** How long each small file of the tester waited while so many of `attack` were always under way. */
async function beside(atOnce: number, attack: (count: number) => Promise<Response>): Promise<void> {
  const { id } = await door.newPackage();
  const end = performance.now() + attackMilliseconds;
  let attacks = 0;
  const statuses = new Set<number>();
  const attackers = Array.from({ length: atOnce }, async () => {
    while (performance.now() < end) {
      const response = await attack(attacks++);
      await response.arrayBuffer();
      statuses.add(response.status);
    }
  });
  const waits: number[] = [];
  while (performance.now() < end) {
    const begun = performance.now();
    const response = await door.call(`/packages/${id}/files/f${waits.length}`, { method: 'PUT', body: 'small' });
    assert.equal(response.status, 201, await response.text());
    waits.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await Promise.all(attackers);
  waits.sort((left, right) => left - right);
  const at = (share: number) => Math.round(waits[Math.floor((waits.length - 1) * share)]!);
  const figures = `${waits.length} files waited ${at(0.5)} ms, ${at(0.99)} ms, ${at(1)} ms (median, p99, longest) beside ${attacks} requests`;
  console.log(`${figures}, which were answered ${[...statuses].join(', ')}`);
  assert.ok(at(0.99) < longest, figures);
}

test('multipart bodies of a thousand files', async () => {
  const packages = await Promise.all(
    Array.from(
      { length: 10 },
      async () => ((await (await post('/packages', 'application/json', newPackage({}))).json()) as { id: string }).id,
    ),
  );
  await beside(10, (count) => {
    const parts = Array.from(
      { length: 1_000 },
      (_, index) => `--b\r\nContent-Disposition: form-data; name="f"; filename="${count}/${index}"\r\n\r\n${index}\r\n`,
    );
    return post(`/packages/${packages[count % 10]}/files`, 'multipart/form-data; boundary=b', `${parts.join('')}--b--\r\n`);
  });
});

test('packages with a thousand members of metadata', async () => {
  await beside(50, (count) =>
    post(
      '/packages',
      'application/json',
      newPackage(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`${count}-${index}`, index]))),
    ),
  );
});

test('JSON bodies with as many values as may be', async () => {
  const body = newPackage({ a: Array.from({ length: 99_000 }, (_, index) => index) });
  await beside(50, () => post('/packages', 'application/json', body));
});
