import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openRegistry } from '../../src/index.ts';
import { removeFolder } from '../remove-folder.ts';
import { fileOf, newPackage } from './registry-on.ts';

const leaseSeconds = 1.5;

describe('a process that is killed with the lease of the retention run in hand', () => {
  it('keeps the others from it until the lease is over, and not longer', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
    try {
      await using store = await openRegistry({ directory });
      const registry = store.as('producer');
      const id = await newPackage(registry);
      await registry.files.add(id, fileOf('f', Buffer.from('bytes')));

      const parameters = [fileURLToPath(new URL('./lease-holder.ts', import.meta.url)), directory, String(leaseSeconds)];
      const holder = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(holder.stdout, 'data');
      const exit = once(holder, 'exit');
      holder.kill('SIGKILL');
      assert.deepEqual(await exit, [null, 'SIGKILL']);
      const held = readLease(directory);
      assert.ok(held !== undefined, 'the killed process had no lease');

      await registry.packages.abandon(id);
      const { promise, resolve } = Promise.withResolvers<{ readonly at: number; readonly by: unknown }>();
      const next = store.operator.autorun({
        intervalSeconds: 0.05,
        leaseSeconds,
        onRun: () => resolve({ at: Date.now(), by: readLease(directory)?.holder }),
      });
      try {
        const run = await promise;
        assert.ok(run.at >= Date.parse(held.expires_at), 'it was taken from somebody who might still have been alive');
        assert.notEqual(run.by, held.holder);
        assert.equal((await store.operator.collect()).released_locations, 0, 'the run of the next one left work behind');
      } finally {
        await next.stop();
      }
    } finally {
      await removeFolder(directory);
    }
  });
});

function readLease(directory: string): { readonly holder: string; readonly expires_at: string } | undefined {
  const database = new DatabaseSync(join(directory, 'artifactstore.db'), { readOnly: true });
  try {
    return database.prepare('select holder, expires_at from leases').get() as ReturnType<typeof readLease>;
  } finally {
    database.close();
  }
}
