import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemory } from '../../src/http/memory.ts';

test('memory is waited for, in order of who fits, and refused in bounded time', async () => {
  const memory = createMemory({ bufferedBytes: 100, bufferedWait: 50 });
  const [first, second] = [memory.open('a'), memory.open('b')];
  await first.take(50);
  await second.take(40);
  const third = memory.open('c');
  const waiting = third.take(20);
  await memory.open('d').take(10);
  second.give(30);
  await waiting;
  await assert.rejects(memory.open('e').take(40), {
    code: 'too_busy',
    info: { bound: 'buffered_bytes', limit: 100, variable: 'ARTIFACTSTORE_MAX_BUFFERED_BYTES' },
  });
  first.give();
  await memory.open('e').take(40);
});

test('one principal has half, so that another is heard at once', async () => {
  const memory = createMemory({ bufferedBytes: 100, bufferedWait: 20 });
  await memory.open('a').take(30);
  const more = memory.open('a');
  await more.take(20);
  await assert.rejects(more.take(1), { code: 'too_busy' });
  await memory.open('b').take(50);
  await assert.rejects(memory.open('c').take(51), { code: 'body_too_large' });
});

test('all addresses together have half', async () => {
  const memory = createMemory({ bufferedBytes: 100, bufferedWait: 20 });
  const held = memory.open('address 192.0.2.1');
  await held.take(30);
  await assert.rejects(memory.open('address 192.0.2.2').take(30), { code: 'too_busy' });
  await memory.open('a').take(50);
  held.give();
  await memory.open('address 192.0.2.2').take(50);
});

test('what comes to a request that is over is given back', async () => {
  const memory = createMemory({ bufferedBytes: 100, bufferedWait: 10_000 });
  const [first, gone] = [memory.open('a'), memory.open('a')];
  await first.take(50);
  const waiting = gone.take(50);
  gone.give();
  first.give();
  await assert.rejects(waiting, { code: 'cancelled' });
  await memory.open('a').take(50);
});

test('what a request that is over gives again is not counted twice', async () => {
  const memory = createMemory({ bufferedBytes: 100, bufferedWait: 1 });
  const over = memory.open('a');
  await over.take(50);
  over.give();
  over.give(20);
  await memory.open('a').take(50);
  await assert.rejects(memory.open('a').take(1), { code: 'too_busy' });
});

test('what it is for is said by its refusals', async () => {
  const use = { bound: 'manifests_bytes', one: 'this manifest', all: 'All manifests' } as const;
  const memory = createMemory({ bufferedBytes: 100, bufferedWait: 1 }, use);
  await memory.open('a').take(50);
  const said = { message: /this manifest/, info: { bound: 'manifests_bytes', limit: 100 } };
  await assert.rejects(memory.open('a').take(1), { code: 'too_busy', ...said });
  await assert.rejects(memory.open('b').take(51), { code: 'body_too_large', ...said });
});
