import fc from 'fast-check';
import type { CreatePackage } from '../../../src/registry/operations/create-package.ts';
import type { RunSet } from '../operations-with-sets.ts';

/** What a database has, in the order in which it came. */
export interface Known {
  readonly packages: string[];
}

/** A set of inputs, once it is known what is there. */
export type Step = (known: Known) => RunSet;

const creations: fc.Arbitrary<Step> = fc
  .array(
    fc.record({
      producer: fc.constantFrom('near', 'far'),
      key: fc.option(fc.constantFrom('k0', 'k1', 'k2')),
      request_digest: fc.constantFrom('one', 'two'),
      maximum: fc.option(fc.nat({ max: 6 })),
      duration_seconds: fc.option(fc.constant(60)),
      metadata: fc.constantFrom({}, { z: 1, a: 'two', deep: { y: [1], x: null } }, { ok: true }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((asked) => () => ({
    name: 'package.create',
    inputs: asked.map(
      ({ producer, key, request_digest, maximum, duration_seconds, metadata }, index): CreatePackage => ({
        actor: `actor ${index}`,
        package: { name: 'n', producer, subject: 's', retention_class: 'transient', metadata, metadata_schema_slug: null },
        quota: maximum === null ? null : { maximum_packages: maximum, maximum_bytes: null },
        duration_seconds,
        idempotency: key === null ? null : { key, request_digest },
      }),
    ),
  }));

export const steps: fc.Arbitrary<Step> = fc.oneof(creations);
