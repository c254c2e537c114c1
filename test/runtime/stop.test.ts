import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { stoppable, throwIfStopped, unlessStopped } from '../../src/runtime/stop.ts';

const isCancelled = (error: unknown) => isArtifactstoreError(error, 'cancelled');

async function* source(chunks: number, hang: boolean, onEnd: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  try {
    for (let index = 0; index < chunks; index++) yield Uint8Array.of(index);
    if (hang) await new Promise(() => undefined);
  } finally {
    onEnd();
  }
}

test('a source that nobody stops is itself', async () => {
  const chunks = source(3, false);
  assert.equal(stoppable(chunks, undefined), chunks);
  const seen = [];
  for await (const chunk of stoppable(source(3, false), new AbortController().signal)) seen.push(chunk[0]);
  assert.deepEqual(seen, [0, 1, 2]);
});

test('a source that hangs is left when it is stopped', async () => {
  const stop = new AbortController();
  const reading = (async () => {
    for await (const chunk of stoppable(source(2, true), stop.signal)) if (chunk[0] === 1) setImmediate(() => stop.abort('enough'));
  })();
  await assert.rejects(reading, (error) => isCancelled(error) && (error as Error).cause === 'enough');
});

test('a source is told when its reader leaves, and its own error comes through', async () => {
  let ended = 0;
  for await (const _chunk of stoppable(
    source(5, false, () => ended++),
    new AbortController().signal,
  ))
    break;
  assert.equal(ended, 1);
  const broken = (async function* () {
    yield Uint8Array.of(1);
    throw new Error('the source broke');
  })();
  await assert.rejects(
    (async () => {
      for await (const _chunk of stoppable(broken, new AbortController().signal));
    })(),
    /the source broke/,
  );
});

test('what is stopped already does not begin', async () => {
  const stop = new AbortController();
  throwIfStopped(undefined);
  throwIfStopped(stop.signal);
  stop.abort();
  assert.throws(() => throwIfStopped(stop.signal), isCancelled);
  await assert.rejects(stoppable(source(1, false), stop.signal)[Symbol.asyncIterator]().next(), isCancelled);
});

test('work that others wait for too is left by who is stopped, and by nobody else', async () => {
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  const [left, stayed] = [unlessStopped(promise, stop.signal), unlessStopped(promise, undefined)];
  stop.abort();
  await assert.rejects(left, isCancelled);
  await assert.rejects(unlessStopped(promise, stop.signal), isCancelled);
  resolve('done');
  assert.deepEqual([await stayed, await unlessStopped(promise, new AbortController().signal)], ['done', 'done']);
});
