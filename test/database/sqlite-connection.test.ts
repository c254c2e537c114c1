import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

test('a new file that somebody looks at while it is opened is waited for', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-connection-'));
  const path = join(directory, 'new.db');
  const looking = new DatabaseSync(path);
  looking.exec('create table t (x)');
  looking.exec('begin; select * from t');
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ openConnection }) => {
      parentPort.postMessage('opening');
      const connection = openConnection(workerData.path, { readOnly: false, busyMilliseconds: 5000 });
      parentPort.postMessage(connection.database.prepare('pragma journal_mode').get().journal_mode);
      connection.close();
    });`;
  const module = new URL('../../src/database/sqlite-connection.ts', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { path, module }, execArgv: [] });
  try {
    assert.deepEqual(await once(worker, 'message'), ['opening']);
    const opened = once(worker, 'message');
    await new Promise((resolve) => setTimeout(resolve, 200));
    looking.exec('commit');
    assert.deepEqual(await opened, ['wal']);
  } finally {
    looking.close();
    await worker.terminate();
    rmSync(directory, { recursive: true, force: true });
  }
});
