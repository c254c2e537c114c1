import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeDraftFolder, removeDeadDrafts } from '../../../src/client/pull/drafts.ts';
import { newDraftFolder } from '../../../src/client/tree/draft-folder.ts';

describe('the folder of a pull', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'artifactstore-drafts-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('stays while its process lives, in the same one and in another, and goes when that was killed', async (context) => {
    const module = new URL('../../../src/client/pull/drafts.ts', import.meta.url).href;
    const program = `const { makeDraftFolder } = await import(${JSON.stringify(module)});
      console.log((await makeDraftFolder(${JSON.stringify(root)})).path); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    context.after(() => child.kill('SIGKILL'));
    const [line] = (await once(child.stdout, 'data')) as [Uint8Array];
    const theirs = line.toString().trim();
    writeFileSync(join(theirs, '1'), 'half');
    const ours = await makeDraftFolder(root);
    const neverLocked = join(root, newDraftFolder());
    mkdirSync(neverLocked);

    assert.deepEqual([...(await removeDeadDrafts(root))].sort(), readdirSync(root).sort());
    assert.deepEqual([existsSync(neverLocked), existsSync(join(theirs, '1')), existsSync(ours.path)], [false, true, true]);

    child.kill('SIGKILL');
    await once(child, 'exit');
    await removeDeadDrafts(root);
    assert.deepEqual([existsSync(theirs), existsSync(ours.path)], [false, true]);
    await ours.remove();
    assert.deepEqual(readdirSync(root), []);
  });

  test('is left alone when it is not what it seems', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'artifactstore-outside-'));
    try {
      const [link, odd] = [newDraftFolder(), newDraftFolder()];
      symlinkSync(outside, join(root, link));
      mkdirSync(join(root, odd));
      symlinkSync(join(outside, 'lock'), join(root, odd, 'lock'));
      mkdirSync(join(root, '.artifactstore-notes'));
      assert.deepEqual(await removeDeadDrafts(root), [odd]);
      assert.deepEqual(readdirSync(outside), []);
      assert.equal(readdirSync(root).length, 3);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });
});
