import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSpool, spoolFault } from '../../../src/dataplane/drafts/spool-directory.ts';
import { withPlane } from '../planes.ts';

test('a spool that cannot be used is told with its setting; one that could be made is no fault, and is not made by looking', async () => {
  const root = await mkdtemp(join(tmpdir(), 'artifactstore-spool-'));
  try {
    const good = join(root, 'a/b');
    assert.equal(await spoolFault(good), undefined);
    assert.equal(existsSync(join(root, 'a')), false);
    await makeSpool(good);
    await makeSpool(good);
    assert.equal(await spoolFault(good), undefined);

    await writeFile(join(root, 'file'), '');
    for (const bad of [join(root, 'file'), join(root, 'file/below')]) {
      const fault = { code: 'invalid_configuration', field: 'ARTIFACTSTORE_STORAGE_SPOOL_ROOT' };
      await assert.rejects(makeSpool(bad), fault, bad);
      assert.equal((await spoolFault(bad))?.code, fault.code, bad);
      await withPlane(
        async ({ plane }) => {
          await assert.rejects(plane.prepare(), fault);
          const states = await plane.health();
          assert.equal(states.get('local')?.healthy, true, 'it needs no spool');
          assert.match(states.get('memory')!.detail, /^Uploads cannot wait in .*; correct ARTIFACTSTORE_STORAGE_SPOOL_ROOT\.$/);
          assert.equal(states.get('memory')!.healthy, false);
        },
        { spoolDirectory: bad },
      );
    }
  } finally {
    await rm(root, { recursive: true });
  }
});
