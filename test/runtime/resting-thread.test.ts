import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { moduleUrl } from '../../src/runtime/module-url.ts';
import { createRestingThread } from '../../src/runtime/resting-thread.ts';

const module = moduleUrl('./echo-worker.ts', import.meta.url);

test('a thread is started by its first request, answers, and is told of when it breaks down', async () => {
  let started = 0;
  const count = (_worker: Worker): void => void started++;
  process.on('worker', count);
  try {
    const answers: string[] = [];
    let answered = Promise.withResolvers<void>();
    const broke = Promise.withResolvers<void>();
    const thread = createRestingThread<string, string>({
      module,
      data: 'said',
      limits: {},
      onAnswer(answer) {
        answers.push(answer);
        answered.resolve();
      },
      onBroken: broke.resolve,
    });
    assert.equal(started, 0);
    for (const text of ['one', 'two']) {
      answered = Promise.withResolvers<void>();
      thread.post(text);
      await answered.promise;
      thread.rest();
    }
    assert.deepEqual(answers, ['said one', 'said two']);
    assert.equal(started, 1);
    assert.ok(!thread.isBroken());
    thread.post('break');
    await broke.promise;
    assert.ok(thread.isBroken());
  } finally {
    process.removeListener('worker', count);
  }
});

test('it keeps the process alive while it works, and not while it rests', () => {
  const here = new URL('../../src/runtime/resting-thread.ts', import.meta.url);
  const code = `
    import { createRestingThread } from ${JSON.stringify(here.href)};
    const thread = createRestingThread({
      module: new URL(${JSON.stringify(module.href)}), data: 'said', limits: {},
      onAnswer(answer) { console.log(answer); thread.rest(); },
      onBroken() {},
    });
    thread.post('it');`;
  let least = Number.POSITIVE_INFINITY;
  // On a busy machine one may take long to start.
  for (let attempt = 0; attempt < 3 && least >= 9_000; attempt++) {
    const began = performance.now();
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', module)),
    });
    assert.equal(ran.stdout, 'said it\n', ran.stderr);
    least = Math.min(least, performance.now() - began);
  }
  assert.ok(least < 9_000, 'it ends before the rest does');
});
