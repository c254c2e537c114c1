import { ArtifactstoreError } from '../kernel/error.ts';
import type { Proof, ProofCheck } from './PROVIDER.ts';

/**
 * Nothing, where all holds. Errors: `credential_too_wide` where keys reach what is outside of their scope,
 * `credential_unproven` where they cannot do what they are for, or an escape could not be looked at.
 */
export function mustHold(proof: Proof, whose: string): void {
  const wide = proof.checks.filter((check) => escapes.has(check.what) && check.result === 'fails');
  if (wide.length > 0)
    throw new ArtifactstoreError('credential_too_wide', `The keys of ${whose} reach beyond their scope: ${listed(wide)}.`, {
      info: { checks: proof.checks, hint: 'look at the policies of the account and of the bucket: something grants more than was minted' },
    });
  const weak = proof.checks.filter(({ result }) => result === 'fails' || result === 'unknown');
  if (weak.length > 0 || proof.checks.length < everything)
    throw new ArtifactstoreError('credential_unproven', `The keys of ${whose} are not proven: ${listed(weak)}.`, {
      info: { checks: proof.checks, hint: hintFor(weak) },
    });
}

function hintFor(weak: readonly ProofCheck[]): string {
  if (weak.some(({ what }) => what === 'other_bucket')) return 'name a bucket that is there and that they must not reach: --other-bucket';
  return 'look at the bucket, at --endpoint, and at how long the provider takes to make keys known: --propagation-seconds';
}

function listed(checks: readonly ProofCheck[]): string {
  return checks.length === 0 ? 'not everything was asked' : checks.map(({ what, told }) => `${what} (${told})`).join(', ');
}

const escapes: ReadonlySet<ProofCheck['what']> = new Set(['other_bucket', 'other_prefix', 'account_list']);
const everything = 7;
