import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { mustHold } from '../../src/provider/must-hold.ts';
import type { ProofCheck } from '../../src/provider/PROVIDER.ts';

const all = ['write', 'head', 'read', 'delete', 'other_bucket', 'other_prefix', 'account_list'] as const;
const proofOf = (results: Partial<Record<ProofCheck['what'], ProofCheck['result']>>, asked: readonly ProofCheck['what'][] = all) => ({
  checks: asked.map((what) => ({ what, result: results[what] ?? 'holds', told: '200' }) satisfies ProofCheck),
});

test('a proof holds where all was asked and all holds, and an escape is told before the rest', () => {
  mustHold(proofOf({ other_prefix: 'not_applicable' }), 'one');
  for (const what of all)
    assert.throws(
      () =>
        mustHold(
          proofOf(
            {},
            all.filter((each) => each !== what),
          ),
          'one',
        ),
      (error) => isArtifactstoreError(error, 'credential_unproven') && /not everything was asked/.test(error.message),
    );
  for (const [what, result, code] of [
    ['write', 'fails', 'credential_unproven'],
    ['read', 'unknown', 'credential_unproven'],
    ['other_bucket', 'unknown', 'credential_unproven'],
    ['other_bucket', 'fails', 'credential_too_wide'],
    ['other_prefix', 'fails', 'credential_too_wide'],
    ['account_list', 'fails', 'credential_too_wide'],
  ] as const)
    assert.throws(
      () => mustHold(proofOf({ head: code === 'credential_too_wide' ? 'fails' : 'holds', [what]: result }), 'one'),
      (error) => {
        assert.ok(isArtifactstoreError(error, code), String(error));
        assert.ok(error.message.includes(`${what} (200)`));
        const hint =
          code === 'credential_too_wide'
            ? /policies/
            : what === 'other_bucket'
              ? /: --other-bucket$/
              : /--endpoint.*--propagation-seconds$/;
        assert.match(String(error.info?.hint), hint);
        return true;
      },
    );
});
