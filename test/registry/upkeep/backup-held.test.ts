import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { checkBackupIn } from '../../../src/compose/restore-store.ts';
import { type HeldWorld, openHeldWorld } from '../held-world.ts';

let world: HeldWorld;
let folder: string;
before(async () => {
  world = await openHeldWorld();
  folder = mkdtempSync(join(tmpdir(), 'artifactstore-backup-held-'));
});
after(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function addTen(name: string): Promise<void> {
  const id = await world.newPackage();
  for (let index = 0; index < 10; index++) await world.add(id, `${index}`, Buffer.from(`${name} ${index}`));
}

it('a backup has what is in no backend yet', async () => {
  await addTen('held');
  const target = join(folder, 'held');
  const made = await world.registry.operator.backup(target);
  assert.deepEqual([made.ok, made.missing, made.copied.objects], [true, [], 10]);
  assert.deepEqual([world.held().length, await world.stored()], [10, []], 'nothing was settled by it');
  const { problems, objects } = await checkBackupIn(target, { read: true });
  assert.deepEqual([problems, objects], [[], 10]);
  await world.settle();
  assert.equal((await world.registry.operator.backup(target)).copied.objects, 0, 'the same bytes are not copied again');
});

it('a backup has what is settled while it is made', async () => {
  await addTen('settled');
  const target = join(folder, 'settled');
  let settling: Promise<void> | undefined;
  const made = await world.registry.operator.backup(target, {
    jobs: 1,
    onProgress: ({ objects }) => {
      if (objects === 12) settling ??= world.settle();
    },
  });
  await settling;
  assert.ok(settling !== undefined && world.held().length === 0);
  assert.deepEqual([made.ok, made.missing, made.objects], [true, [], 20]);
  assert.deepEqual((await checkBackupIn(target, { read: true })).problems, []);
});
