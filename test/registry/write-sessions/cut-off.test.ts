import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Database } from '../../../src/database/DATABASE.ts';
import { administrator } from '../../../src/kernel/access.ts';
import { chunks, collect } from '../../../src/registry/conformance/samples.ts';
import type { RegistryOperations } from '../../../src/registry/operations/operations.ts';
import { openTwoBackends } from '../two-backends.ts';

const tester = administrator('tester');

/** As of a process that is killed behind its so many-th write: what it wrote is there, and nobody is told. */
function killedBehind(database: Database<RegistryOperations>, writes: number): Database<RegistryOperations> {
  let left = writes;
  return {
    ...database,
    async write(name, input) {
      if (left <= 0) throw new Error('killed');
      left -= 1;
      const output = await database.write(name, input);
      if (left === 0) throw new Error('killed');
      return output;
    },
    async read(name, input) {
      if (left <= 0) throw new Error('killed');
      return await database.read(name, input);
    },
  };
}

test('a commit that is cut off behind any of its steps is continued to the same package', async () => {
  await using world = await openTwoBackends();
  const { packages, files, writeSessions } = world.as(tester);
  const known = await packages.create({ name: 'n', producer: 'other', subject: 's', retention_class: 'transient' });
  await files.add(known.record.id, { relative_path: 'a', body: chunks('known') });
  const statesSeen = new Set<string>();
  let step = 1;
  for (let cutOff = true; cutOff; step++) {
    const producer = `p${step}`;
    const texts = { known: 'known', one: `one ${step}`, two: `two ${step}` };
    const objects = Object.entries(texts).map(([name, text]) => ({
      name,
      sha256: createHash('sha256').update(text).digest('hex'),
      size_bytes: text.length,
    }));
    const request = { scope: 's', producer, subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, objects };
    const { id } = (await writeSessions.open(request, { idempotencyKey: 'k' })).record;
    for (const name of ['one', 'two'] as const) await writeSessions.put(id, name, chunks(texts[name]));
    const killed = world.over({ database: killedBehind(world.database, step) });
    const answer = await killed
      .as(tester)
      .writeSessions.commit(id)
      .catch((error: Error) => error);
    cutOff = answer instanceof Error;
    if (answer instanceof Error) assert.equal(answer.message, 'killed');
    await killed.settle();
    const between = (await writeSessions.status(id))!;
    statesSeen.add(between.state);
    assert.notEqual(between.package_id, null);
    const committed = await writeSessions.commit(id);
    assert.equal(committed.package_id, between.package_id);
    const { items } = await packages.list({ producer });
    assert.deepEqual(
      items.map((made) => [made.id, made.status, made.file_count]),
      [[committed.package_id, 'finalized', 3]],
    );
    for (const [name, text] of Object.entries(texts)) {
      const read = await files.open({ package_id: committed.package_id, relative_path: name });
      assert.equal(String(await collect(read!.body)), text);
    }
    await killed.close();
  }
  assert.ok(step > 5, `a commit has only ${step} steps`);
  assert.deepEqual([...statesSeen].sort(), ['committed', 'committing']);
});
