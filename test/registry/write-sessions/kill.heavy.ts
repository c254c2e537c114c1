import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chunks, collect } from '../../../src/registry/conformance/samples.ts';
import { killAfter } from '../killed-process.ts';
import { localRoot, openTestRegistry } from '../open-registry.ts';

const script = fileURLToPath(new URL('./commit-process.ts', import.meta.url));
const sessionsKilled = 3;
const filesOf = 300;

test('a commit that is killed anywhere is continued to the same package, and never makes two', async (context) => {
  await using store = await openTestRegistry();
  const registry = store.as('tester');
  let killed = 0;
  const states = new Map<string, number>();
  for (let round = 0; round < sessionsKilled; round++) {
    const files = new Map(
      Array.from({ length: filesOf }, (_, index) => [`f/${index}`, randomBytes(1 + ((index * 977) % 20_000))] as const),
    );
    const objects = [...files].map(([name, bytes]) => ({
      name,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      size_bytes: bytes.length,
    }));
    const request = { scope: 's', producer: `p${round}`, subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 3600 };
    const { id } = (await registry.writeSessions.open({ ...request, objects }, { idempotencyKey: 'k' })).record;
    for (const [name, bytes] of files) await registry.writeSessions.put(id, name, chunks(bytes));
    let answer: string | undefined;
    let begun: string | null = null;
    for (let delay = 5; answer === undefined; delay = delay * 1.6 + round) {
      answer = await commit(store.directory, id, delay);
      const session = (await registry.writeSessions.status(id))!;
      if (answer === undefined) {
        killed += 1;
        states.set(session.state, (states.get(session.state) ?? 0) + 1);
      }
      if (begun !== null) assert.equal(session.package_id, begun);
      begun = session.package_id ?? begun;
    }
    assert.equal(answer, begun);
    const { items } = await registry.packages.list({ producer: `p${round}` });
    assert.deepEqual(
      items.map(({ id: packageId, status, file_count }) => [packageId, status, file_count]),
      [[answer, 'finalized', filesOf]],
    );
    for (const [name, bytes] of files) {
      const read = await registry.files.open({ package_id: answer, relative_path: name });
      assert.equal(Buffer.compare(await collect(read!.body), bytes), 0);
    }
  }
  context.diagnostic(`${killed} commits were killed: ${[...states].map(([state, count]) => `${count} left it ${state}`).join(', ')}`);
  assert.ok((states.get('committing') ?? 0) > 0, 'none was killed between two steps');
  await store.operator.collect({ draftAgeSeconds: 0 });
  assert.deepEqual(await readdir(join(localRoot(store.config), 'drafts')), []);
});

/** The package that a process answered; undefined where it was killed, so many milliseconds after it had begun. */
async function commit(directory: string, id: string, delay: number): Promise<string | undefined> {
  const { printed, killed } = await killAfter(script, { parameters: [directory, id], lines: 1, delay });
  const answer = printed.split('\n')[1];
  if (answer !== undefined && answer !== '') return answer;
  assert.ok(killed, 'the process ended without an answer');
  return undefined;
}
