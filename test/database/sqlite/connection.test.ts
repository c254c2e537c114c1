import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../../src/database/clock.ts';
import { applyMigrations } from '../../../src/database/migrations/migrations.ts';
import { openConnection } from '../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../src/database/sqlite/dialect.ts';
import { inBulk } from '../../../src/database/sqlite/replay.ts';

test('a connection keeps 4 MiB of pages, and more only while tables are filled', async () => {
  const connection = openConnection(':memory:', { readOnly: false, busyMilliseconds: 0 });
  const kept = () => connection.prepare('pragma cache_size').get()!.cache_size;
  await applyMigrations('sqlite', sqliteQueries(connection), systemClock);
  assert.equal(kept(), -4096);
  assert.equal(await inBulk(connection, async () => kept()), -16_384);
  assert.equal(kept(), -4096);
  connection.close();
});

test('a new file that many open at once is opened by all of them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-connection-'));
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ openConnection }) => {
      parentPort.on('message', (path) => {
        let answer;
        try {
          const connection = openConnection(path, { readOnly: false, busyMilliseconds: 5000 });
          answer = connection.database.prepare('pragma journal_mode').get().journal_mode;
          connection.close();
        } catch (error) {
          answer = error.message;
        }
        parentPort.postMessage(answer);
      });
      parentPort.postMessage('ready');
    });`;
  const module = new URL('../../../src/database/sqlite/connection.ts', import.meta.url).href;
  const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true, workerData: { module }, execArgv: [] }));
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    for (let round = 0; round < 150; round++) {
      const answers = workers.map((worker) => once(worker, 'message'));
      for (const worker of workers) worker.postMessage(join(directory, `${round}.db`));
      assert.deepEqual(await Promise.all(answers), [['wal'], ['wal'], ['wal'], ['wal']]);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    rmSync(directory, { recursive: true, force: true });
  }
});
