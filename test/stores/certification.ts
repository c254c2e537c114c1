import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Certificate } from '../../src/certify/certificate.ts';
import { contentOf } from './bucket-content.ts';
import type { CertifiedGround, CertifiedStore } from './certified-stores.ts';
import { openPlace } from './place.ts';
import { documentedRow, foundRow, storesDocument } from './results.ts';

/** What `storage certify --save` says of a store, and what health says of the backend after that. */
export async function certifyOn({ store, bucket, identity, otherBucket, owner }: CertifiedGround): Promise<{
  readonly certificate: Certificate;
  readonly code: number | null;
  readonly healthy: boolean;
}> {
  const environment = owner === undefined ? {} : { OWNER_ACCESS: owner.accessKeyId, OWNER_SECRET: owner.secretAccessKey };
  using place = openPlace(store, bucket, { identity, environment });
  await place.json('migrate');
  const { code, stdout, stderr } = await place.run(
    ...['storage', 'certify', '--save', '--json'],
    ...(otherBucket === undefined ? [] : ['--other-bucket', otherBucket]),
    ...(owner === undefined ? [] : ['--owner-access-key-ref', 'env:OWNER_ACCESS', '--owner-secret-key-ref', 'env:OWNER_SECRET']),
  );
  assert.ok(stdout.startsWith('{'), stderr);
  const { status } = await place.json('health');
  return { certificate: JSON.parse(stdout) as Certificate, code, healthy: status === 'ok' };
}

/** `storage certify` finds of each store what docs/stores.md says of it, and leaves nothing behind. */
export function certificationOf({ name, remains, wavers, missing, open }: CertifiedStore): void {
  describe(`certification: ${name}`, { skip: missing() ?? false }, () => {
    test('finds what is documented, and leaves nothing behind', async (context) => {
      await using ground = await open();
      const { certificate, code, healthy } = await certifyOn(ground);
      const result = { name, version: ground.store.version, certificate };
      const documented = documentedRow(readFileSync(storesDocument, 'utf8'), name);
      const found = foundRow(result);
      const compared = wavers === undefined ? found.length : throughRegistry;
      if (documented?.[1] === result.version)
        assert.deepEqual(found.slice(0, compared), documented.slice(0, compared), JSON.stringify(certificate.uses, null, 2));
      else context.diagnostic(`docs/stores.md speaks of ${documented?.[1] ?? 'no version'}, this is ${found.join(' | ')}`);
      const registry = certificate.uses.find(({ use }) => use === 'registry')?.verdict;
      assert.equal(code, registry === 'safe' || registry === 'safe_with_precautions' ? 0 : 1);
      assert.equal(healthy, true);
      if (remains !== undefined) return;
      assert.deepEqual(certificate.leftovers, []);
      assert.deepEqual(await contentOf(ground.store, ground.bucket), { keys: [], bytes: 0, unfinished: 0 });
    });
  });
}

/** The cells of a row up to that of registry storage: name, version, verdict. */
const throughRegistry = 3;
