import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { scan } from '../../../pilot/ingest/scan.ts';
import type { Work } from '../../../pilot/tools.ts';
import { createProgress } from '../../../src/cli/terminal/progress.ts';
import * as library from '../../../src/index.ts';
import { stopOnSignal } from '../../../src/runtime/stop-signals.ts';

describe('a scan', () => {
  const root = mkdtempSync(join(tmpdir(), 'artifactstore-scan-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  const work: Work = {
    tools: { library, connect: () => assert.fail('nothing is connected to'), createProgress, stopOnSignal },
    context: { output: { note: () => undefined, watched: undefined } } as unknown as Work['context'],
    registry: undefined as unknown as Work['registry'],
    signal: new AbortController().signal,
  };
  const nothing = async (): Promise<void> => undefined;

  test('has a digest of the content, the same wherever it stands', async () => {
    const place = join(root, 'here');
    mkdirSync(join(place, 'b'), { recursive: true });
    writeFileSync(join(place, 'b/x'), 'ü');
    writeFileSync(join(place, 'b.sh'), 'exit\n');
    chmodSync(join(place, 'b.sh'), 0o755);
    const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
    const expected = sha256(`[["b.sh",5,"${sha256('exit\n')}",true],["b/x",2,"${sha256('ü')}",false]]`);
    assert.equal((await scan(work, place, nothing)).contentDigest, expected);
    cpSync(place, join(root, 'there'), { recursive: true });
    assert.equal((await scan(work, join(root, 'there'), nothing)).contentDigest, expected);
    chmodSync(join(root, 'there/b.sh'), 0o644);
    assert.notEqual((await scan(work, join(root, 'there'), nothing)).contentDigest, expected);
  });

  test('shows the bytes that it hashed, of small and of large files, or none', async () => {
    const place = join(root, 'sizes');
    mkdirSync(place);
    const large = 'x'.repeat(600_000);
    for (const [name, content] of [
      ['large', large],
      ['small', 'small'],
    ] as const)
      writeFileSync(join(place, name), content);
    const seen = new Map<string, string>();
    await scan(work, place, async (path, bytes) => void seen.set(path, Buffer.from(await bytes()).toString()));
    assert.deepEqual(
      seen,
      new Map([
        ['large', large],
        ['small', 'small'],
      ]),
    );
    const change = scan(work, place, async (path, bytes) => {
      writeFileSync(join(place, path), large.toUpperCase());
      await bytes();
    });
    await assert.rejects(change, (error) => library.isArtifactstoreError(error, 'digest_mismatch') && error.field === 'large');
  });

  test('of nothing is refused', async () => {
    mkdirSync(join(root, 'empty/inner'), { recursive: true });
    await assert.rejects(scan(work, join(root, 'empty'), nothing), (error) => library.isArtifactstoreError(error, 'package_empty'));
  });
});
