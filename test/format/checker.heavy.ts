import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { administrator } from '../../src/kernel/access.ts';
import { openTwoBackends } from '../registry/two-backends.ts';
import { damages } from './damages.ts';
import { fillRegistry } from './sample-registry.ts';

const checker = fileURLToPath(new URL('./checker.py', import.meta.url));
const vectors = fileURLToPath(new URL('../../docs/format-vectors.json', import.meta.url));
const skip = spawnSync('python3', ['-c', 'import sqlite3']).status === 0 ? false : 'python3 is not installed';

describe('the independent checker', { skip }, () => {
  let scratch: string;
  let good: string;
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'artifactstore-'));
    good = join(scratch, 'good');
    await fillRegistry(good);
  });
  after(() => rm(scratch, { recursive: true, force: true }));

  it('agrees with the vectors, and sees when one is wrong', async () => {
    assert.match(await check(0, 'vectors', vectors), /36 events/);
    const wrong = join(scratch, 'vectors.json');
    const text = await readFile(vectors, 'utf8');
    for (const [from, to] of [
      ['"next_generation": 3', '"next_generation": 4'],
      ['"fb3fb999999999999a"', '"fb3fb999999999999b"'],
      ['"sequence": 3,', '"sequence": 4,'],
    ] as const) {
      assert.ok(text.includes(from));
      await writeFile(wrong, text.replace(from, to));
      await check(1, 'vectors', wrong);
    }
  });

  it('agrees with a registry that this software filled', async () => {
    assert.match(await check(0, 'database', join(good, 'artifactstore.db'), join(good, 'storage')), /1 manifests, 5 live objects/);
  });

  it('agrees with one whose primary digest is another', async () => {
    const directory = join(scratch, 'sha256');
    await fillRegistry(directory, { ARTIFACTSTORE_DIGEST_ALGORITHM: 'sha256' });
    assert.match(
      await check(0, 'database', join(directory, 'artifactstore.db'), join(directory, 'storage')),
      /1 manifests, 5 live objects/,
    );
  });

  it('agrees with one whose files were moved, in both backends', async () => {
    const directory = join(scratch, 'moved');
    await mkdir(directory);
    const store = await openTwoBackends({ directory });
    const registry = store.as(administrator('tester'));
    for (const retention_class of ['transient', 'blink']) {
      const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class });
      for (const text of ['in both', retention_class]) {
        async function* body() {
          yield Buffer.from(text);
        }
        await registry.files.add(record.id, { relative_path: text, body: body() });
      }
      await registry.packages.finalize(record.id);
    }
    await store.operator.move({ from: 'near', to: 'far', retentionClass: 'blink' });
    await store.close();
    for (const backend of ['near', 'far'])
      assert.match(
        await check(0, 'database', join(directory, 'artifactstore.db'), join(directory, backend), backend),
        /2 manifests, 2 live objects/,
      );
  });

  it('agrees with one that holds small files, and sees one that is torn', async () => {
    const directory = join(scratch, 'held');
    const database = join(directory, 'artifactstore.db');
    await mkdir(directory);
    const store = await openTwoBackends({ directory, holds: true });
    const registry = store.as(administrator('tester'));
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    async function* body() {
      yield Buffer.from('held');
    }
    await registry.files.add(record.id, { relative_path: 'f', body: body() });
    await store.close();
    assert.match(await check(0, 'database', database, join(directory, 'near'), 'near'), /1 live objects/);
    const damaged = new DatabaseSync(database);
    damaged.exec("update held_objects set bytes = x'00'");
    damaged.close();
    assert.match(await check(1, 'database', database, join(directory, 'near'), 'near'), /is 1 bytes long, not 4/);
  });

  for (const { what, damage, fault } of damages)
    it(`sees ${what}`, async () => {
      const directory = join(scratch, what);
      await cp(good, directory, { recursive: true });
      await damage(directory);
      assert.match(await check(1, 'database', join(directory, 'artifactstore.db'), join(directory, 'storage')), fault);
    });
});

/** Runs the checker; what it said. */
function check(expected: number, ...parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('python3', ['-B', checker, ...parameters], (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (code === expected && stderr === '') resolve(stdout);
      else reject(new Error(`the checker ended with ${code}: ${stdout}${stderr}`));
    });
  });
}
