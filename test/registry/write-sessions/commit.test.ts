import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chunks } from '../../../src/registry/conformance/samples.ts';
import { localRoot, openTestRegistry } from '../open-registry.ts';

const skip = process.platform === 'linux' ? false : 'what a process has open is read from /proc';

test('of what one caller commits at once, only so much is in memory', { skip }, async () => {
  const bodies = Array.from({ length: 24 }, () => randomBytes(1_048_576));
  const objects = bodies.map((body, index) => {
    return { name: `${index}`, sha256: createHash('sha256').update(body).digest('hex'), size_bytes: body.length };
  });
  const about = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 600 };
  const first = await openTestRegistry();
  const { writeSessions } = first.as('eve');
  const { id } = (await writeSessions.open({ ...about, objects }, { idempotencyKey: 'k' })).record;
  await Promise.all(bodies.map((body, index) => writeSessions.put(id, `${index}`, chunks(body))));
  // The process that took them knows their digests.
  await using store = await first.reopen();
  const drafts = join(localRoot(store.config), 'drafts');
  let most = 0;
  let looking = true;
  const look = (): void => {
    most = Math.max(most, openBelow(drafts));
    if (looking) setImmediate(look);
  };
  look();
  const commits = await Promise.all(Array.from({ length: 8 }, () => store.as('eve').writeSessions.commit(id)));
  looking = false;
  assert.equal(new Set(commits.map(({ package_id }) => package_id)).size, 1);
  assert.ok(most > 0 && most <= 24, `${most} were open at once`);
});

function openBelow(directory: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(join('/proc/self/fd', descriptor)).startsWith(`${directory}/`);
    } catch {
      return false;
    }
  }).length;
}
