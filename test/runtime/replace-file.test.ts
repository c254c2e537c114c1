import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isReplacementDraft, replaceFile } from '../../src/runtime/replace-file.ts';

describe('a file that is replaced', () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');

  test('has its new bytes and its mode, whatever was there', async () => {
    await replaceFile(path, [Buffer.from('one')], { mode: 0o644 });
    await replaceFile(path, [Buffer.from('t'), Buffer.from('wo')], { mode: 0o600 });
    assert.equal(readFileSync(path, 'utf8'), 'two');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('has its old bytes until the last of the new ones is there, and where they end early', async () => {
    writeFileSync(path, 'old');
    async function* breaking() {
      yield Buffer.from('ne');
      assert.equal(readFileSync(path, 'utf8'), 'old');
      const [draft = ''] = readdirSync(folder).filter((name) => name !== 'file');
      assert.equal(isReplacementDraft(draft), true, draft);
      throw new Error('broken');
    }
    await assert.rejects(replaceFile(path, breaking(), { mode: 0o600 }), /broken/);
    assert.equal(readFileSync(path, 'utf8'), 'old');
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('is not made where its folder is not there', async () => {
    await assert.rejects(replaceFile(join(folder, 'none', 'file'), [], { mode: 0o600 }), { code: 'ENOENT' });
  });

  test('has another name than what somebody else put beside it', () => {
    for (const name of ['a.draft', 'a', `a.${crypto.randomUUID()}`, `a.${crypto.randomUUID()}.draft.old`])
      assert.equal(isReplacementDraft(name), false, name);
  });
});
