import type { Outcome, Transaction } from '../../database/DATABASE.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { spentCborArray } from '../../kernel/format/cbor.ts';
import type { Manifest } from '../../kernel/manifest.ts';
import { prepareSealing } from '../prepare-sealing.ts';
import type { Finalized } from '../REGISTRY.ts';
import { noPackage, readUncounted, requireOpen, type UncountedPackage } from './packages.ts';
import {
  encodeStretch,
  filesPerStretch,
  isCurrent,
  type Listed,
  type PreparedSealing,
  type ReadStretch,
  readListed,
  readStretch,
  type SealingStretch,
} from './sealing.ts';
import { decideEach, inSets, type SetOperation } from './sets.ts';

export interface FinalizePackage {
  readonly actor: string;
  readonly id: string;
  /** What the package must hold to be sealed, or to have been; null for whatever it holds. */
  readonly files_digest: string | null;
  /** Name and version of the software that seals. */
  readonly software: string;
  /** What was read of the files before; null where nothing was. It is spent by an attempt to seal with it. */
  readonly prepared: PreparedSealing | null;
  /** The same bytes, given to the thread that writes. */
  readonly moved: readonly Uint8Array[];
  /** Whether all files may be read in this one step, however many. */
  readonly in_one_step: boolean;
}

/** `prepare`: the package has too many files to be read in one step, or was changed since they were read. */
export type FinalizeOutcome = { readonly outcome: 'sealed'; readonly sealed: Finalized } | { readonly outcome: 'prepare' };

/** Seals packages under the log's lock, so that a manifest says exactly what its package held at that event. */
export const finalizePackage: SetOperation<FinalizePackage, FinalizeOutcome> = inSets({
  readsFirst: true,
  weigh: () => 4,
  async run(transaction, inputs) {
    const found = await readUncounted(
      transaction.sql,
      inputs.map(({ id }) => id),
    );
    const listed = await readListed(transaction.sql, readAtOnce(inputs, found));
    const outcomes = await decideEach(transaction, inputs, (own, input) => seal(own, input, found, listed));
    await transaction.flush();
    const sealed = await readUncounted(
      transaction.sql,
      outcomes.flatMap((outcome) => ('output' in outcome && outcome.output !== 'prepare' ? [outcome.output.id] : [])),
    );
    return outcomes.map((outcome): Outcome<FinalizeOutcome> => {
      if ('error' in outcome) return outcome;
      if (outcome.output === 'prepare') return { output: { outcome: 'prepare' } };
      return { output: { outcome: 'sealed', sealed: sealedRecord(sealed.get(outcome.output.id)!) } };
    });
  },
});

/** Packages that have few files, until they are as many as one step reads. */
function readAtOnce(inputs: readonly FinalizePackage[], found: ReadonlyMap<string, UncountedPackage>): readonly string[] {
  const ids = new Set<string>();
  let files = 0;
  for (const { id } of inputs) {
    const count = found.get(id)?.file_count ?? 0;
    if (count === 0 || ids.has(id) || files + count >= filesPerStretch) continue;
    files += count;
    ids.add(id);
  }
  return [...ids];
}

/** Notes in `found` that it is sealed. */
async function seal(
  transaction: Transaction,
  input: FinalizePackage,
  all: Map<string, UncountedPackage>,
  listed: ReadonlyMap<string, Listed>,
): Promise<UncountedPackage | 'prepare'> {
  const found = all.get(input.id);
  if (found === undefined) throw noPackage(input.id);
  const isSealed = found.status === 'finalized';
  if (!isSealed) requireOpen(found);
  if (isSealed && input.files_digest === null) return found;
  const prepared = await preparedOf(transaction, found, input, listed.get(found.id));
  if (prepared === undefined) return 'prepare';
  if (input.files_digest !== null) requireFiles(found, input.files_digest, prepared.files_digest!);
  if (isSealed) return found;
  if (found.file_count === 0)
    throw new ArtifactstoreError('package_empty', `Package ${input.id} has no file; add at least one before it is sealed.`);
  transaction.append({
    event_type: 'v1.package.finalized',
    subject_kind: 'package',
    subject_id: input.id,
    actor: input.actor,
    payload: manifestOf(transaction, found, prepared, input),
  });
  all.set(found.id, { ...found, status: 'finalized' });
  return found;
}

/** Under the log's lock nobody adds or moves a file between this and the sealing. */
async function preparedOf(
  transaction: Transaction,
  found: UncountedPackage,
  input: FinalizePackage,
  listed: Listed | undefined,
): Promise<PreparedSealing | undefined> {
  const withFacts = input.files_digest !== null;
  if (found.file_count <= filesPerStretch || input.in_one_step) {
    const read = async (_name: 'package.stretch', stretch: ReadStretch): Promise<SealingStretch> =>
      listed === undefined ? await readStretch(transaction, stretch) : { sequence: 0, ...encodeStretch(listed, withFacts) };
    return await prepareSealing(read, found.id, withFacts);
  }
  return input.prepared !== null && (await isCurrent(transaction, found, input.prepared)) ? input.prepared : undefined;
}

function requireFiles(found: UncountedPackage, expected: string, actual: string): void {
  if (actual === expected) return;
  throw new ArtifactstoreError(
    'precondition_failed',
    found.status === 'finalized'
      ? `Package ${found.id} was sealed with other files than those that were expected.`
      : `Package ${found.id} holds other files than those that were expected; it is not sealed.`,
    {
      field: 'files_digest',
      info: { package_id: found.id, package_status: found.status, files_digest: actual, file_count: found.file_count },
    },
  );
}

function sealedRecord(found: UncountedPackage): Finalized {
  return {
    package_id: found.id,
    manifest_digest: found.manifest_digest!,
    finalized_at: found.finalized_at!,
    file_count: found.file_count,
    total_bytes: found.total_bytes,
  };
}

/** A `Manifest`, whose long lists are encoded already; `prepared` is spent when it is appended. */
function manifestOf(transaction: Transaction, found: UncountedPackage, prepared: PreparedSealing, input: FinalizePackage): Manifest {
  const { file_count: fileCount, files, receipt_count: receiptCount, receipts } = prepared;
  return {
    manifest_version: 1,
    package: {
      id: found.id,
      name: found.name,
      producer: found.producer,
      subject: found.subject,
      retention_class: found.retention_class,
      metadata: found.metadata,
      metadata_schema_slug: found.metadata_schema_slug,
      created_at: found.created_at,
      created_by: found.created_by,
    },
    files: spentCborArray(fileCount, files) as unknown as Manifest['files'],
    storage_receipts: spentCborArray(receiptCount, receipts) as unknown as Manifest['storage_receipts'],
    retention_summary: { retention_class: found.retention_class, expires_at: found.expires_at },
    provenance: {
      finalized_at: transaction.now,
      finalized_by: input.actor,
      registry_id: transaction.registryId,
      software: input.software,
    },
  };
}
