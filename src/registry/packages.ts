import { isAddress, parseAddress, splitAddress } from '../kernel/content/address.ts';
import { blake3, toHex, utf8 } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { checkIdempotencyKey } from '../kernel/format/idempotency-key.ts';
import { canonicalJson, type JsonValue } from '../kernel/format/json.ts';
import { parseId } from '../kernel/id.ts';
import type { PackageStatus } from '../kernel/views/view.ts';
import { type Access, noPackage } from './access.ts';
import type { Context } from './context.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { checkFilter, checkLimit, checkNewPackage, checkTime } from './input.ts';
import { lookFor } from './look-for.ts';
import { metadataTerms } from './metadata/terms.ts';
import type { ListPackages } from './operations/package-list.ts';
import type { Looked } from './operations/page.ts';
import type { PreparedSealing } from './operations/sealing.ts';
import { pageOfMoved } from './page-of-moved.ts';
import { prepareSealing } from './prepare-sealing.ts';
import type { PackageQuery, Packages } from './REGISTRY.ts';

/** So often a large package is read beside its writers to be sealed; the last time nobody can write meanwhile. */
const roundsBeside = 4;
const statuses: readonly PackageStatus[] = ['created', 'finalized', 'abandoned', 'garbage_collected'];

export function createPackages(context: Context, access: Access): Packages {
  const { database } = context;
  const { actor } = access;

  async function listed<F extends Looked>(query: PackageQuery, read: (input: ListPackages) => Promise<F>) {
    const limit = checkLimit(query);
    const filters = {
      name: checkFilter(query.name, 'name'),
      producer: checkFilter(query.producer, 'producer'),
      subject: checkFilter(query.subject, 'subject'),
      retention_class: checkFilter(query.retention_class, 'retention_class'),
      status: checkStatus(query.status),
      manifest_digest: query.manifest_digest === undefined ? null : checkManifestAddress(query.manifest_digest),
      created_after: checkTime(query.created_after, 'created_after'),
      created_before: checkTime(query.created_before, 'created_before'),
      finalized_after: checkTime(query.finalized_after, 'finalized_after'),
      finalized_before: checkTime(query.finalized_before, 'finalized_before'),
    };
    const bound: JsonValue = ['packages', filters, { ...query.metadata }];
    const terms = metadataTerms(query.metadata);
    const { next, ...listed } = await lookFor(limit, decodeCursor(bound, query.cursor, 'sequence'), ({ position, ...begun }) =>
      read({ ...filters, ...begun, before: position, scope: access.reads, terms }),
    );
    return { ...listed, next_cursor: next === null ? null : encodeCursor(bound, next) };
  }

  return {
    async create(input, options) {
      const checked = checkNewPackage(input);
      access.require('write', checked.producer);
      const retentionClass = context.retentionClasses.find(({ slug }) => slug === checked.retention_class);
      if (retentionClass === undefined)
        throw new ArtifactstoreError(
          'unknown_retention_class',
          `There is no retention class "${checked.retention_class}"; there ` +
            `are ${context.retentionClasses.map(({ slug }) => slug).join(', ')}.`,
          { field: '/retention_class' },
        );
      const slug = checked.metadata_schema_slug;
      if (slug !== null) {
        const schema = await database.read('metadata_schema.get', { slug });
        if (schema === undefined)
          throw new ArtifactstoreError('unknown_metadata_schema', `There is no metadata schema "${slug}"; register it first.`, {
            field: '/metadata_schema_slug',
          });
        await context.validator.validate(actor, slug, schema.json_schema, checked.metadata);
      }
      const key = options?.idempotencyKey;
      return await database.write('package.create', {
        actor,
        package: checked,
        quota: context.quotaOf(checked.producer) ?? null,
        duration_seconds: retentionClass.default_duration_seconds,
        idempotency:
          key === undefined ? null : { key: checkIdempotencyKey(key), request_digest: toHex(blake3(utf8(canonicalJson({ ...checked })))) },
      });
    },

    async get(id) {
      const found = await database.read('package.get', { id: parseId(id, 'package_id') });
      return found !== undefined && access.sees(found.producer) ? found : undefined;
    },

    async list(query = {}) {
      const { found, next_cursor } = await listed(query, (input) => database.read('package.list', input));
      return { items: found.flatMap(({ items }) => items), next_cursor };
    },
    encodedList: async (query = {}) => pageOfMoved(await listed(query, (input) => database.read('package.list_encoded', input))),

    async abandon(id) {
      const packageId = parseId(id, 'package_id');
      await access.requirePackage(packageId, 'write');
      return await database.write('package.abandon', { actor, id: packageId });
    },

    async finalize(id, { files_digest: filesDigest } = {}) {
      const packageId = parseId(id, 'package_id');
      await access.requirePackage(packageId, 'write');
      const expected = filesDigest === undefined ? null : checkFilesDigest(filesDigest);
      const software = `artifactstore/${context.version}`;
      const seal = (prepared: PreparedSealing | null, inOneStep: boolean) =>
        database.write('package.finalize', {
          actor,
          id: packageId,
          files_digest: expected,
          software,
          prepared,
          moved: prepared === null ? [] : [...prepared.files, ...prepared.receipts],
          in_one_step: inOneStep,
        });
      const small = await seal(null, false);
      if (small.outcome === 'sealed') return small.sealed;
      return await context.takeLarge(async () => {
        for (let round = 1; ; round++) {
          const prepared = await prepareSealing(database.read, packageId, expected !== null);
          const done = await seal(prepared, round === roundsBeside);
          if (done.outcome === 'sealed') return done.sealed;
        }
      });
    },

    async manifest(id) {
      const packageId = parseId(id, 'package_id');
      await access.requirePackage(packageId, 'read');
      const found = await database.read('package.manifest', { id: packageId });
      if (found === undefined) throw noPackage(packageId);
      return found;
    },
  };
}

function checkFilesDigest(text: string): string {
  const address = parseAddress(text, 'files_digest');
  if (splitAddress(address).algorithm !== 'sha256')
    throw new ArtifactstoreError('invalid_address', 'A files digest is SHA-256: "sha256:" and 64 hex digits.', { field: 'files_digest' });
  return address;
}

function checkManifestAddress(text: string): string {
  if (isAddress(text) && splitAddress(text).algorithm === 'blake3') return text;
  throw new ArtifactstoreError(
    'invalid_address',
    'The digest of a manifest is BLAKE3: "blake3:" and 64 lowercase hex digits, as `manifest_digest` of a package has it.',
    { field: 'manifest_digest' },
  );
}

function checkStatus(status: string | undefined): PackageStatus | null {
  if (status === undefined) return null;
  const known = statuses.find((candidate) => candidate === status);
  if (known === undefined)
    throw new ArtifactstoreError('malformed_request', `"${status}" is not a status; there are ${statuses.join(', ')}.`, {
      field: 'status',
    });
  return known;
}
