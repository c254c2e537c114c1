import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openEventsFile } from '../../src/client/events-file.ts';
import { readManifest, saveManifest } from '../../src/client/manifest-file.ts';
import { encodeCbor } from '../../src/kernel/format/cbor.ts';
import { sampleManifest } from '../kernel/sample-manifest.ts';

test('what is saved replaces no database, also not by a link, and replaces what is none', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-save-'));
  try {
    const database = join(directory, 'artifactstore.db');
    const opened = new DatabaseSync(database);
    opened.exec('create table events (sequence integer)');
    opened.close();
    symlinkSync(database, join(directory, 'link'));
    const before = readFileSync(database);
    const manifest = readManifest(encodeCbor(sampleManifest));
    for (const path of [database, join(directory, 'link')]) {
      const refused = { code: 'target_in_use', message: /is an SQLite database\. It is not replaced/ };
      await assert.rejects(openEventsFile(path, '--output'), { ...refused, field: '--output' });
      assert.throws(() => saveManifest(path, manifest), refused);
    }
    assert.deepEqual([readFileSync(database), readdirSync(directory).sort()], [before, ['artifactstore.db', 'link']]);

    for (const text of ['', 'SQLite', 'an older export, which is replaced']) {
      const path = join(directory, 'saved');
      writeFileSync(path, text);
      const file = await openEventsFile(path, '--output');
      await file.finish();
      await file[Symbol.asyncDispose]();
      assert.equal(readFileSync(path, 'utf8'), '');
      writeFileSync(path, text);
      saveManifest(path, manifest);
      assert.deepEqual(readFileSync(path), Buffer.from(manifest.bytes));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
