import fc from 'fast-check';
import type { Quota } from '../../../src/kernel/access.ts';
import type { ContentAddress } from '../../../src/kernel/content/address.ts';
import { blake3, sha256, toHex } from '../../../src/kernel/content/digest.ts';
import { createFilesHasher } from '../../../src/kernel/content/files-digest.ts';
import type { AttachFiles } from '../../../src/registry/operations/attach.ts';
import type { CreatePackage } from '../../../src/registry/operations/create-package.ts';
import type { FinalizePackage } from '../../../src/registry/operations/finalize.ts';
import type { AddFiles, IngestItem } from '../../../src/registry/operations/ingest.ts';
import type { RunSet } from '../operations-with-sets.ts';

/** What a database has since a run began, in the order in which it came. */
export interface Known {
  readonly run: number;
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
  .map((asked) => ({ run }: Known) => ({
    name: 'package.create' as const,
    inputs: asked.map(
      ({ producer, key, request_digest, maximum, duration_seconds, metadata }, index): CreatePackage => ({
        actor: `actor ${index}`,
        package: {
          name: 'n',
          producer: `${producer} ${run}`,
          subject: 's',
          retention_class: 'transient',
          metadata,
          metadata_schema_slug: null,
        },
        quota: maximum === null ? null : { maximum_packages: maximum, maximum_bytes: null },
        duration_seconds,
        idempotency: key === null ? null : { key, request_digest },
      }),
    ),
  }));

const target = fc.nat({ max: 4 });
const quota = fc.option(fc.integer({ min: 0, max: 400 }).map((maximum_bytes) => ({ maximum_bytes, maximum_packages: null })));
const content = fc.nat({ max: 5 });
const path = fc.constantFrom('a', 'b', 'c/d', 'ü');
const backend = fc.constantFrom('one', 'two');
const annotations = fc.constantFrom({}, { z: 'last', a: 'first' });

/** One package of those that are there, or one that is not. */
function idOf({ packages }: Known, which: number): string {
  return packages.at(which - 1) ?? '00000000-0000-7000-8000-000000000000';
}

function textOf(which: number): Buffer {
  return Buffer.from(`content ${which} `.repeat(1 + which));
}

function factsOf(which: number) {
  const bytes = textOf(which);
  const digest_primary = toHex(blake3(bytes));
  return {
    size_bytes: bytes.length,
    digest_algorithm: 'blake3',
    digest_primary,
    digest_sha256: toHex(sha256(bytes)),
    content_address: `blake3:${digest_primary}` as ContentAddress,
  };
}

interface Addition {
  readonly target: number;
  readonly quota: Quota | null;
  readonly items: readonly {
    readonly path: string;
    readonly content: number;
    readonly backend: string;
    readonly annotations: IngestItem['annotations'];
    /**
     * The generation that the bytes are published under, with digests of blocks for `blocks`; or that they are held.
     */
    readonly way: 'held' | 'blocks' | number | null;
  }[];
}

const additions: fc.Arbitrary<Step> = fc
  .array(
    fc.record({
      target,
      quota,
      items: fc.uniqueArray(
        fc.record({ path, content, backend, annotations, way: fc.constantFrom('held' as const, 'blocks' as const, 0, 0, 0, 1, 2, null) }),
        { minLength: 1, maxLength: 3, selector: (item) => item.path },
      ),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map(adding);

function adding(asked: readonly Addition[]): Step {
  return (known) => ({ name: 'file.add', inputs: asked.map((each, index) => addition(known, each, index)) });
}

function addition(known: Known, { target: which, quota: bound, items }: Addition, index: number): AddFiles {
  const held = items.filter(({ way }) => way === 'held');
  return {
    actor: `actor ${index}`,
    package_id: idOf(known, which),
    quota: bound,
    moved: held.map((item) => new Uint8Array(textOf(item.content))),
    items: items.map((item): IngestItem => {
      const { path: relative_path, backend: backend_id, way } = item;
      return {
        ...factsOf(item.content),
        relative_path,
        backend_id,
        media_type: 'text/plain',
        annotations: item.annotations,
        generation: typeof way === 'number' ? way : way === 'blocks' ? 0 : null,
        block_digests: way === 'blocks' ? new Uint8Array(32).fill(item.content) : null,
        ...(way === 'held' ? { held: held.indexOf(item) } : {}),
      };
    }),
  };
}

const attachments: fc.Arbitrary<Step> = fc
  .array(
    fc.record({
      target,
      quota,
      backend,
      items: fc.uniqueArray(
        fc.record({ path, content, annotations, by: fc.constantFrom('primary', 'sha256'), wrong: fc.constantFrom(0, 0, 0, 1) }),
        { minLength: 1, maxLength: 3, selector: (item) => item.path },
      ),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((asked) => (known) => ({
    name: 'file.attach',
    inputs: asked.map(
      ({ target: which, quota: bound, backend: backend_id, items }, index): AttachFiles => ({
        actor: `actor ${index}`,
        package_id: idOf(known, which),
        backend_id,
        backend_ids: index === 3 ? [backend_id] : ['one', 'two'],
        records: index !== 2,
        quota: bound,
        items: items.map((item) => {
          const { content_address, digest_sha256, size_bytes } = factsOf(item.content);
          return {
            relative_path: item.path,
            content_address: item.by === 'primary' ? content_address : (`sha256:${digest_sha256}` as ContentAddress),
            size_bytes: size_bytes + item.wrong,
            media_type: 'text/plain',
            annotations: item.annotations,
          };
        }),
      }),
    ),
  }));

const sealings: fc.Arbitrary<Step> = fc
  .array(
    fc.record({
      target,
      // Of a package without files; and one that no package has.
      files_digest: fc.option(fc.constantFrom(createFilesHasher().digest(), `sha256:${'0'.repeat(64)}`), { freq: 2 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((asked) => (known: Known) => ({
    name: 'package.finalize' as const,
    inputs: asked.map(
      ({ target: which, files_digest }, index): FinalizePackage => ({
        actor: `actor ${index}`,
        id: idOf(known, which),
        files_digest,
        software: 's',
        prepared: null,
        moved: [],
        in_one_step: true,
      }),
    ),
  }));

/** What other operations do to packages and objects between them; each input alone, in both databases. */
const others: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(content, backend, fc.nat({ max: 1 })).map(([which, backend_id, generation]) => failing(which, backend_id, generation)),
  target.map((which) => (known: Known) => ({ name: 'package.abandon' as const, inputs: [{ actor: 'x', id: idOf(known, which) }] })),
);

export const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: creations },
  { weight: 6, arbitrary: additions },
  { weight: 3, arbitrary: attachments },
  { weight: 1, arbitrary: sealings },
  { weight: 1, arbitrary: others },
);

function failing(which: number, backend_id: string, generation: number): Step {
  const { content_address } = factsOf(which);
  return () => ({ name: 'object.fail', inputs: [{ actor: 'x', backend_id, content_address, generation, reason: 'digest_mismatch' }] });
}

/** An input repairs the object of a file that the next one of its set names again. */
export function repairInASet(): Step[] {
  const bytes = { content: 9, backend: 'one', annotations: {} };
  const add = (path: string, generation: number): Addition => ({ target: 1, quota: null, items: [{ ...bytes, path, way: generation }] });
  const created = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient', metadata: {}, metadata_schema_slug: null };
  const create = { actor: 'x', package: created, quota: null, duration_seconds: null, idempotency: null };
  return [
    () => ({ name: 'package.create', inputs: [create] }),
    adding([add('a', 0)]),
    failing(9, 'one', 0),
    adding([add('b', 1), add('a', 0), add('c', 1)]),
  ];
}
