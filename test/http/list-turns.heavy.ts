import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import { takeListTurns } from '../../src/http/list-turns.ts';
import { administrator } from '../../src/kernel/access.ts';
import { createFairTurns } from '../../src/runtime/fair-turns.ts';
import { giveBackMemory, heapSize } from '../../src/runtime/heap.ts';
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
  await Promise.any(many);
  await list(tokens[1]!);
  await Promise.all(many);
  assert.ok(order.indexOf('few') < 20, order.join(' '));
  assert.equal(most, 2);
});

test('a list is made when what others left in memory is given back', async () => {
  await using api = fastify().withTypeProvider<TypeBoxTypeProvider>();
  api.decorateRequest('principal', null as never);
  api.addHook('onRequest', (request, _reply, done) => {
    request.principal = administrator('somebody');
    done();
  });
  takeListTurns(api, createFairTurns({ what: 'lists', room: 1, waitingOfOne: 1, waitMilliseconds: 1_000 }), () => undefined);
  api.get('/list', { config: { list: true } }, () => ({ old: heapSize().old }));
  await api.ready();
  const end = giveBackMemory(32 * mebibyte);
  let held: object[] | undefined = Array.from({ length: 3_000_000 }, (_, index) => ({ index }));
  assert.ok(held.length > 0 && heapSize().old > 50 * mebibyte);
  held = undefined;
  const { old } = (await api.inject('/list')).json<{ readonly old: number }>();
  assert.ok(old < 45 * mebibyte, `${old} bytes`);
  end();
});

test('a long list goes to the connection as bytes, and it is told when it has it', async () => {
  await using api = fastify().withTypeProvider<TypeBoxTypeProvider>();
  let made = 0;
  const sent: boolean[] = [];
  api.decorateRequest('principal', null as never);
  api.addHook('onRequest', (request, _reply, done) => {
    request.principal = administrator('somebody');
    done();
  });
  takeListTurns(api, createFairTurns({ what: 'lists', room: 1, waitingOfOne: 1, waitMilliseconds: 1_000 }), () => made++);
  api.addHook('onSend', (_request, _reply, payload, done) => {
    sent.push(Buffer.isBuffer(payload));
    done(null, payload);
  });
  api.get('/long', { config: { list: true } }, () => ({ text: 'x'.repeat(70_000) }));
  api.get('/short', { config: { list: true } }, () => ({ text: 'x' }));
  api.get('/other', () => ({ text: 'x'.repeat(70_000) }));
  for (const url of ['/long', '/short', '/other']) assert.equal((await api.inject(url)).statusCode, 200);
  await new Promise(setImmediate);
  assert.deepEqual(sent, [true, false, true]);
  assert.equal(made, 2);
});

test('write sessions and the report of use are made in these turns too', async () => {
  let now = 0;
  let most = 0;
  const slowly = async <T>(made: Promise<T>): Promise<T> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return await made.finally(() => now--);
  };
  await using door = await openDoor({
    wrap: (registry) => ({
      ...registry,
      usage: () => slowly(registry.usage()),
      writeSessions: { ...registry.writeSessions, status: (id) => slowly(registry.writeSessions.status(id)) },
    }),
  });
  for (const [path, status] of [
    ['/usage', 200],
    ['/write-sessions/01890000-0000-7000-8000-000000000000', 404],
  ] as const) {
    most = 0;
    const answers = await Promise.all(Array.from({ length: 8 }, () => door.call(path)));
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([status]));
    assert.equal(most, 2, path);
  }
});

const mebibyte = 1_048_576;
