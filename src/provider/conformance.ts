import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { isArtifactstoreError } from '../kernel/error.ts';
import { type Secret, secretOf } from '../secrets/secret.ts';
import { mustHold } from './must-hold.ts';
import { type Issuer, type Minted, type Provider, roles } from './PROVIDER.ts';

export interface OpenedProvider extends AsyncDisposable {
  readonly provider: Provider;
  readonly authority: Secret;
  /** There, and in the reach of what is minted for it. */
  readonly bucket: string;
  /** There, and beyond. */
  readonly otherBucket: string;
}

/** What every driver must do, for `node --test`. `open` gives one, with a bucket that nobody else uses. */
export function providerConformance(name: string, open: () => Promise<OpenedProvider>): void {
  const check = (title: string, body: (opened: OpenedProvider) => Promise<void>): void => {
    test(title, async () => {
      await using opened = await open();
      await body(opened);
    });
  };
  const checkIssuer = (title: string, body: (opened: OpenedProvider, issuer: Issuer) => Promise<void>): void => {
    test(title, async (context) => {
      await using opened = await open();
      if (opened.provider.issuer === undefined) return context.skip('nothing is minted there');
      await body(opened, opened.provider.issuer);
    });
  };

  describe(`provider: ${name}`, () => {
    check('verifies an authority twice alike, and sees its bucket', async ({ provider, authority, bucket }) => {
      const first = await provider.verify(authority, bucket);
      assert.notEqual(first.bucketIsThere, false);
      assert.deepEqual(await provider.verify(authority, bucket), first);
    });

    check('says of an authority that is none what is wrong, and nothing of it', async ({ provider }) => {
      for (const text of ['hushhushhushhushhush', 'HUSHHUSHHUSH:hushhushhush']) {
        const settled = await provider.verify(secretOf(text), undefined).catch((error: unknown) => error);
        if (provider.issuer === undefined && text.includes(':')) continue;
        assert.ok(isArtifactstoreError(settled, 'authority_unusable'), inspect(settled));
        assert.equal(inspect(settled, { depth: 9 }).includes(text), false);
      }
    });

    checkIssuer('mints keys for each role that hold what they must, and nothing beyond', async (opened, issuer) => {
      const { provider, bucket, otherBucket } = opened;
      for (const role of roles) {
        const { minted } = await mint(opened, issuer, role);
        const proof = await provider.prove(keysOf(minted), { bucket, prefix: '' }, { otherBucket });
        mustHold(proof, role);
        assert.equal(inspect(minted, { depth: 9, showHidden: true }).includes(minted.secretAccessKey.reveal()), false);
        await issuer.revoke(opened.authority, minted.id);
      }
    });

    checkIssuer('mints keys for a prefix where it can be that narrow', async (opened, issuer) => {
      const { provider, bucket, otherBucket } = opened;
      if (provider.capabilities.narrowest !== 'prefix') return;
      const scope = { bucket, prefix: 'only/here' };
      for (const role of roles) {
        const { minted } = await mint(opened, issuer, role, scope.prefix);
        const proof = await provider.prove(keysOf(minted), scope, { otherBucket });
        mustHold(proof, role);
        assert.equal(proof.checks.find(({ what }) => what === 'other_prefix')?.result, 'holds');
        await issuer.revoke(opened.authority, minted.id);
      }
    });

    checkIssuer('finds what it minted by its label, and nothing else', async (opened, issuer) => {
      const { minted, label } = await mint(opened, issuer, 'proxy');
      assert.deepEqual(await issuer.find(opened.authority, label.slice(0, -3)), [minted.id]);
      assert.deepEqual(await issuer.find(opened.authority, `${label}-more`), []);
      await issuer.revoke(opened.authority, minted.id);
      assert.deepEqual(await issuer.find(opened.authority, label), []);
    });

    checkIssuer('ends keys for certain, and may be told twice', async (opened, issuer) => {
      const { provider, authority, bucket, otherBucket } = opened;
      const { minted: other } = await mint(opened, issuer, 'admin');
      const { minted } = await mint(opened, issuer, 'admin');
      assert.equal(await issuer.revoke(authority, minted.id), 'revoked');
      assert.equal(await issuer.revoke(authority, minted.id), 'absent');
      const { checks } = await provider.prove(keysOf(minted), { bucket, prefix: '' }, { otherBucket });
      assert.partialDeepStrictEqual(checks, [{ what: 'write', result: 'fails' }]);
      mustHold(await provider.prove(keysOf(other), { bucket, prefix: '' }, { otherBucket }), 'the other');
      await issuer.revoke(authority, other.id);
      assert.match(issuer.howToRevoke(minted.id), new RegExp(minted.id));
    });

    checkIssuer('rolls keys where it can: the old secret ends', async (opened, issuer) => {
      if (issuer.roll === undefined) return;
      const { provider, authority, bucket, otherBucket } = opened;
      const { minted } = await mint(opened, issuer, 'proxy');
      const rolled = await issuer.roll(authority, minted.id);
      assert.equal(rolled.id, minted.id);
      mustHold(await provider.prove(keysOf(rolled), { bucket, prefix: '' }, { otherBucket }), 'rolled');
      const { checks } = await provider.prove(keysOf(minted), { bucket, prefix: '' }, { otherBucket });
      assert.partialDeepStrictEqual(checks, [{ what: 'write', result: 'fails' }]);
      await issuer.revoke(authority, minted.id);
    });

    checkIssuer('vends temporary keys where it can, below a prefix only', async (opened, issuer) => {
      if (issuer.vend === undefined) return;
      const { provider, authority, bucket, otherBucket } = opened;
      const { minted } = await mint(opened, issuer, 'proxy');
      const scope = { bucket, prefix: 'only/here' };
      const keys = await issuer.vend(authority, { parentId: minted.id, scope, write: true, seconds: 900 });
      const proof = await provider.prove(keys, scope, { otherBucket });
      mustHold(proof, 'temporary');
      assert.equal(proof.checks.find(({ what }) => what === 'other_prefix')?.result, 'holds');
      await issuer.revoke(authority, minted.id);
    });

    checkIssuer('proves it of keys that reach too far', async (opened, issuer) => {
      const { provider, authority, bucket } = opened;
      const { minted } = await mint(opened, issuer, 'admin');
      // The bucket itself as the other one: what is within reach, told as what must not be.
      const proof = await provider.prove(keysOf(minted), { bucket, prefix: '' }, { otherBucket: bucket });
      assert.throws(
        () => mustHold(proof, 'wide'),
        (error) => isArtifactstoreError(error, 'credential_too_wide'),
      );
      const unasked = await provider.prove(keysOf(minted), { bucket, prefix: '' }, { otherBucket: undefined });
      assert.throws(
        () => mustHold(unasked, 'unknown'),
        (error) => isArtifactstoreError(error, 'credential_unproven'),
      );
      await issuer.revoke(authority, minted.id);
    });
  });
}

async function mint(
  { authority, bucket }: OpenedProvider,
  issuer: Issuer,
  role: 'admin' | 'proxy',
  prefix = '',
): Promise<{ minted: Minted; label: string }> {
  const label = `artifactstore-test-${randomBytes(6).toString('hex')}`;
  const expiresAtMilliseconds = Date.now() + 3_600_000;
  return { label, minted: await issuer.mint(authority, { label, role, scope: { bucket, prefix }, expiresAtMilliseconds }) };
}

function keysOf({ accessKeyId, secretAccessKey }: Minted): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal() };
}
