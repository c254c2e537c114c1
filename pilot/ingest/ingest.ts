import type { JsonObject, Package, PackageQuery } from 'artifactstore';
import type { Library, Work } from '../tools.ts';
import type { Scan } from './scan.ts';
import type { SchemaFile } from './schema.ts';

/** A directory that is kept once. */
export interface Submission {
  readonly producer: string;
  /** What the directory is by nature, as a member of the metadata: there is one package for each value. */
  readonly identity: { readonly key: string; readonly value: string };
  readonly name: string;
  readonly subject: string;
  readonly retentionClass: string;
  readonly metadata: JsonObject;
  readonly schema: SchemaFile;
  readonly jobs: number;
}

/** What is printed of it. */
export interface Ingested {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly file_count: number;
  /** Whether it was kept already. */
  readonly reused_existing: boolean;
}

/**
 * Keeps what was scanned as one sealed package, whoever else is doing the same and whatever an earlier try has left: a
 * sealed package with the same files is the answer; with others it is `idempotency_conflict`, which names the files;
 * one that is half made of the same content is gone on with, of other content abandoned.
 */
export async function ingest(work: Work, scanned: Scan, submission: Submission): Promise<Ingested> {
  const { library } = work.tools;
  let pushedAside = false;
  for (let round = 1; ; round += 1) {
    const [newest, ...older] = await packagesOf(work, submission);
    const sealed = [newest, ...older].find((found) => found?.status === 'finalized');
    if (sealed !== undefined) return await compare(work, scanned, submission, sealed);
    const open = newest?.status === 'created' ? newest : undefined;
    const same = open?.metadata.content_digest === scanned.contentDigest && open.retention_class === submission.retentionClass;
    if (open !== undefined && !same && pushedAside)
      throw new library.ArtifactstoreError(
        'idempotency_conflict',
        `Somebody else is ingesting ${submission.identity.value} with other content, as package ${open.id}.`,
        { info: { package_id: open.id, hint: 'ingest again when that is done' } },
      );
    try {
      if (open !== undefined && !same) await work.registry.packages.abandon(open.id);
      return await fill(work, scanned, submission, same ? open : await create(work, scanned, submission, newest));
    } catch (error) {
      // Somebody else sealed, abandoned or opened a package meanwhile: look again.
      const overtaken = overtakenCodes.some((code) => library.isArtifactstoreError(error, code));
      if (!overtaken || round === maximumRounds) throw error;
      pushedAside ||= library.isArtifactstoreError(error, 'package_not_open');
    }
  }
}

/** How often others may be in the way before it is said. */
const maximumRounds = 6;
const overtakenCodes = ['package_not_open', 'package_collected', 'idempotency_conflict', 'precondition_failed'] as const;

async function create({ registry, tools }: Work, scanned: Scan, submission: Submission, newest: Package | undefined): Promise<Package> {
  const { identity, producer } = submission;
  const { record } = await registry.packages.create(
    {
      name: submission.name,
      producer,
      subject: submission.subject,
      retention_class: submission.retentionClass,
      metadata: { ...submission.metadata, content_digest: scanned.contentDigest },
      metadata_schema_slug: submission.schema.slug,
    },
    // Everybody who finds the same packages uses the same key, so that two at once open one.
    { idempotencyKey: `${keyOf(tools.library, identity.value)}${newest === undefined ? '' : ` after ${newest.id}`}` },
  );
  return record;
}

/** A key is of ASCII and short. */
function keyOf(library: Library, identity: string): string {
  const readable = encodeURIComponent(identity);
  if (readable.length <= 160) return readable;
  const hasher = library.createHasher('sha256');
  hasher.update(Buffer.from(identity));
  return Buffer.from(hasher.digest()).toString('hex');
}

/** The newest first. */
async function packagesOf({ registry }: Work, { producer, identity }: Submission): Promise<readonly Package[]> {
  const query: PackageQuery = { producer, metadata: { [identity.key]: identity.value }, limit: 1000 };
  const found: Package[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await registry.packages.list(cursor === undefined ? query : { ...query, cursor });
    found.push(...page.items);
    cursor = page.next_cursor;
  }
  return found;
}

async function compare(
  { registry, tools: { library }, context }: Work,
  scanned: Scan,
  submission: Submission,
  sealed: Package,
): Promise<Ingested> {
  const { bytes } = await registry.packages.manifest(sealed.id);
  const { files } = library.parseManifest(bytes);
  const difference = library.differenceOf(files, scanned.files);
  if (difference !== undefined) {
    const { summary, lines } = library.describeDifference(difference);
    const { added, removed, changed } = difference;
    throw new library.ArtifactstoreError(
      'idempotency_conflict',
      `${submission.identity.value} is kept as package ${sealed.id}, and the directory is not the same any more: ${summary}.\n${lines}`,
      {
        info: {
          package_id: sealed.id,
          added,
          removed,
          changed,
          hint:
            'what is sealed stays as it is: give the new content an id of its own, ' +
            `or bring the old one back with \`artifactstore pull ${sealed.id} <dir>\``,
        },
      },
    );
  }
  if (sealed.retention_class !== submission.retentionClass)
    context.output.note(
      `note: it is kept as ${sealed.retention_class}, not as ${submission.retentionClass}; ` +
        `\`artifactstore retention extend ${sealed.id}\` keeps it longer`,
    );
  return { package_id: sealed.id, manifest_digest: sealed.manifest_digest ?? '', file_count: sealed.file_count, reused_existing: true };
}

async function fill(work: Work, scanned: Scan, submission: Submission, record: Package): Promise<Ingested> {
  const { registry, signal, context } = work;
  const { library, createProgress } = work.tools;
  const { files } = scanned.tree;
  const progress = await createProgress(
    context.output,
    'ingesting',
    files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  try {
    await library.uploadFiles(registry, record.id, files, {
      jobs: submission.jobs,
      signal,
      onDone: (bytes) => progress.advance(bytes),
    });
    const { status } = (await registry.packages.get(record.id)) ?? record;
    const sealed = await registry.packages.finalize(record.id, { files_digest: library.filesDigestOf(scanned.files) });
    return {
      package_id: sealed.package_id,
      manifest_digest: sealed.manifest_digest,
      file_count: sealed.file_count,
      reused_existing: status === 'finalized',
    };
  } catch (error) {
    throw await giveUp(work, record, signal.aborted ? signal.reason : await inWords(work, scanned, record, error));
  } finally {
    progress.stop();
  }
}

/** What is sealed is what was scanned, or the first file that is not is named. */
async function inWords({ registry, tools: { library } }: Work, scanned: Scan, { id }: Package, error: unknown): Promise<unknown> {
  // One that somebody else sealed meanwhile is looked at again.
  if (!library.isArtifactstoreError(error, 'precondition_failed') || error.info?.package_status === 'finalized') return error;
  const difference = library.differenceOf(await library.packageFiles(registry, id), scanned.files);
  const [path] = [...(difference?.changed ?? []), ...(difference?.added ?? []), ...(difference?.removed ?? [])];
  return new library.ArtifactstoreError('digest_mismatch', `"${path}" changed while it was being ingested.`, {
    ...(path === undefined ? {} : { field: path }),
    info: { hint: 'ingest again when nothing writes to the directory' },
    cause: error,
  });
}

/**
 * Leaves no half-made package behind, as far as the server can be reached: the next try continues with one that is
 * left.
 */
async function giveUp({ registry, tools: { library } }: Work, record: Package, error: unknown): Promise<unknown> {
  if (!library.isArtifactstoreError(error) || error.code === 'package_not_open' || error.code === 'precondition_failed') return error;
  const abandoned =
    error.code !== 'server_unreachable' &&
    (await registry.packages.abandon(record.id).then(
      () => true,
      () => false,
    ));
  const left = abandoned
    ? `nothing was sealed, package ${record.id} is abandoned; ingest again`
    : `package ${record.id} is not sealed; ingest again, and it is resumed`;
  const own = error.info?.hint;
  return new library.ArtifactstoreError(error.code, error.message, {
    ...(error.field === undefined ? {} : { field: error.field }),
    info: { ...error.info, package_id: record.id, hint: typeof own === 'string' ? `${own}; ${left}` : left },
    cause: error.cause,
  });
}
