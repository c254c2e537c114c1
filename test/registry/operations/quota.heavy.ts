import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatTimestamp } from '../../../src/kernel/time.ts';
import { type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { removeFolder } from '../../remove-folder.ts';
import { openTwoBackends } from '../two-backends.ts';

const script = fileURLToPath(new URL('./fill-quota.ts', import.meta.url));
const bytes = 1_234_567;

describe('eight writers of two processes, half of them with write sessions', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  it('fill a quota to the last byte on SQLite, and never pass it', () => fillFromTwo(undefined));
  it('fill a quota to the last byte on PostgreSQL, and never pass it', async () => fillFromTwo(await server.createDatabase()));
});

async function fillFromTwo(databaseUrl: string | undefined): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  try {
    const place = { directory, ...(databaseUrl === undefined ? {} : { databaseUrl }) };
    await using store = await openTwoBackends(place);
    const writers = [start({ ...place, bytes, abandon: 3 }), start({ ...place, bytes, abandon: 3 })];
    let running = true;
    const done = Promise.all(writers).finally(() => {
      running = false;
    });
    done.catch(() => undefined);
    let looks = 0;
    for (; running; looks++) {
      const { used_bytes, reserved_bytes } = await room(store);
      assert.ok(used_bytes + reserved_bytes <= bytes, `${used_bytes} bytes and ${reserved_bytes} reserved ones`);
    }
    const [first, second] = await done;
    assert.ok(looks > 2, `${looks}`);
    assert.equal(first! + second!, bytes, 'what was acknowledged');
    const full = { used_bytes: bytes, reserved_bytes: 0, there: [] };
    assert.deepEqual(await room(store), full, 'exactly the bound');
    await store.operator.replay();
    assert.deepEqual(await room(store), full);
    assert.equal((await store.operator.verifyEvents()).ok, true);
  } finally {
    await removeFolder(directory);
  }
}

async function room({ database }: Pick<Awaited<ReturnType<typeof openTwoBackends>>, 'database'>) {
  return await database.read('producer.room', { producer: 'near', package_id: '', items: [], now: formatTimestamp(Date.now()) });
}

async function start(options: object): Promise<number> {
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.equal(code, 0);
  return Number(printed);
}
