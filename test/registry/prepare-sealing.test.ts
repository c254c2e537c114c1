import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { SealingStretch } from '../../src/registry/operations/sealing.ts';
import { prepareSealing } from '../../src/registry/prepare-sealing.ts';
import { sealingCases } from './prepare-sealing-cases.ts';
import { openTwoBackends } from './two-backends.ts';

sealingCases('SQLite', () => openTwoBackends());

test('a manifest that would be too long is refused while its files are read, and no more of them are', async () => {
  const files = new Uint8Array(10_000_000);
  let stretches = 0;
  const read = async (): Promise<SealingStretch> => {
    stretches += 1;
    const receipts = new Uint8Array(0);
    return { sequence: 1, file_count: 1000, files, receipt_count: 0, receipts, facts: '', last: `f${stretches}`, moved: [] };
  };
  await assert.rejects(
    prepareSealing(read, 'one', false),
    (error: unknown) => isArtifactstoreError(error, 'too_many_files') && error.info?.bound === 'sealed_manifest_bytes',
  );
  assert.equal(stretches, 14);
});
