import { type Kysely, sql } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { beyond } from '../input.ts';
import { limits } from '../limits.ts';

// A package whose manifest would be too long can never be sealed. Whoever fills it is to know before all of it is sent.

interface FileTexts {
  readonly relative_path: string;
  readonly media_type: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ManifestRoom {
  /**
   * Throws `too_many_files` where the manifest of a package with these files too would be longer than it may be.
   * `read` tells what the manifest has of the package's files now: asked for rarely, since it goes over all of them.
   */
  require(
    owner: { readonly id: string; readonly file_count: number },
    fresh: readonly FileTexts[],
    read: () => Promise<number>,
  ): Promise<void>;
}

/** What a sealing writes of a file beside its texts: ids, digests, and where it is; it is less than this. */
const bytesOfFile = 720;
/** So many files have room, whatever their texts are: a path and annotations as long as they may be are 300 kB. */
const alwaysFit = 300;
/** From this share of the limit on every file is counted exactly. */
const nearLimit = 0.9;
const rememberedPackages = 1_000;

/** As many bytes as the manifest has of these files at most. */
export function bytesInManifest(files: readonly FileTexts[]): number {
  return files.reduce(
    (sum, { relative_path: path, media_type: type, annotations }) =>
      sum + bytesOfFile + octets(path) + octets(type) + octets(JSON.stringify(annotations)),
    0,
  );
}

/** The same, of the files that a package has. */
export async function bytesOfPackage(database: Kysely<Schema>, id: string): Promise<number> {
  const texts = sql<number>`octet_length(relative_path) + octet_length(media_type) + octet_length(annotations)`;
  const { count, bytes } = await database
    .selectFrom('artifact_files')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number>(texts).as('bytes')])
    .where('package_id', '=', id)
    .executeTakeFirstOrThrow();
  return Number(count) * bytesOfFile + Number(bytes ?? 0);
}

/**
 * Remembers what packages had when files were last added to them here. Others add files too, and a transaction may be
 * undone: so that is an estimate, and near the limit it is not relied upon. The sealing counts again.
 */
export function createManifestRoom(): ManifestRoom {
  const known = new Map<string, { readonly count: number; readonly bytes: number }>();
  return {
    async require({ id, file_count: count }, fresh, read) {
      if (fresh.length === 0 || count + fresh.length <= alwaysFit) return;
      const added = bytesInManifest(fresh);
      const estimate = estimateOf(known.get(id), count);
      const bytes = estimate === undefined || estimate + added > limits.manifestBytes * nearLimit ? await read() : estimate;
      if (bytes + added > limits.manifestBytes) throw noRoom(id);
      known.delete(id);
      known.set(id, { count: count + fresh.length, bytes: bytes + added });
      if (known.size > rememberedPackages) known.delete(known.keys().next().value!);
    },
  };
}

/** Undefined where what is known is of a very different number of files. */
function estimateOf(known: { readonly count: number; readonly bytes: number } | undefined, count: number): number | undefined {
  if (known === undefined || Math.abs(known.count - count) > count / 16) return undefined;
  return (known.bytes * count) / known.count;
}

function noRoom(id: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'too_many_files',
    `With these files the manifest of package ${id} could be longer than ${limits.manifestBytes} bytes, with all paths and ` +
      'annotations. Seal it without them, and put them into another package.',
    { field: 'package_id', ...beyond('sealed_manifest_bytes') },
  );
}

function octets(text: string): number {
  return Buffer.byteLength(text);
}
