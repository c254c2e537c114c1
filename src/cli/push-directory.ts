import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { RemoteRegistry } from '../client/connect.ts';
import { hashFile } from '../client/read-file.ts';
import { uploadFiles } from '../client/upload.ts';
import { type Tree, walkTree } from '../client/walk.ts';
import { decodeCbor } from '../kernel/cbor.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { type JsonObject, type JsonValue, parseJson } from '../kernel/json.ts';
import { type Manifest, maximumFiles } from '../kernel/manifest.ts';
import type { Finalized, NewPackage, Package } from '../registry/REGISTRY.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { createProgress } from './progress.ts';
import { countFiles, formatBytes } from './size.ts';
import { stopOnSignal } from './stop.ts';

/** What the command line says of a push. */
export interface PushOptions {
  readonly name?: string;
  readonly producer: string;
  readonly subject?: string;
  readonly retentionClass: string;
  readonly metadata?: readonly string[];
  readonly metadataFile?: string;
  readonly metadataSchema?: string;
  readonly idempotencyKey?: string;
  readonly jobs: number;
}

/** How long a server may be away in the middle of a push. */
const patienceSeconds = 60;

/** Sends a directory as a new package and seals it. */
export async function pushDirectory(context: Context, directory: string, options: PushOptions): Promise<void> {
  const { output } = context;
  const root = resolve(context.directory, directory);
  const input = newPackage(context, root, options);
  const tree = walkTree(root);
  if (tree.files.length === 0) throw new ArtifactstoreError('package_empty', `There is no file below "${directory}".`);
  if (tree.files.length > maximumFiles)
    throw new ArtifactstoreError(
      'too_many_files',
      `There are ${tree.files.length} files below "${directory}"; a package holds ${maximumFiles}.`,
    );
  for (const path of tree.emptyDirectories) output.note(`warning: the empty directory "${path}" is left out`);

  using stop = stopOnSignal();
  const registry = connect(context, { patienceSeconds });
  try {
    // With a key of its own even a request whose answer was lost makes one package only.
    const { record } = await registry.packages.create(input, { idempotencyKey: options.idempotencyKey ?? randomUUID() });
    const { sealed, uploadedBytes } = await fill(context, registry, record, tree, options, stop.signal);
    if (output.json)
      output.value({
        package_id: sealed.package_id,
        manifest_digest: sealed.manifest_digest,
        file_count: sealed.file_count,
        total_bytes: sealed.total_bytes,
        uploaded_bytes: uploadedBytes,
      });
    else {
      output.line(`${output.colors.green('sealed')} package ${output.colors.bold(sealed.package_id)}`);
      output.line(`  ${countFiles(sealed.file_count)}, ${formatBytes(sealed.total_bytes)}, ${formatBytes(uploadedBytes)} sent`);
      output.line(`  manifest ${sealed.manifest_digest}`);
    }
  } finally {
    await registry.close();
  }
}

async function fill(
  { output }: Context,
  registry: RemoteRegistry,
  record: Package,
  tree: Tree,
  options: PushOptions,
  signal: AbortSignal,
): Promise<{ readonly sealed: Finalized; readonly uploadedBytes: number }> {
  if (record.status === 'finalized') return { sealed: await sealedEarlier(registry, record, tree, signal), uploadedBytes: 0 };
  const progress = await createProgress(
    output,
    'pushing',
    tree.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  try {
    const uploadedBytes = await uploadFiles(registry, record.id, tree.files, {
      jobs: options.jobs,
      signal,
      onDone: (bytes) => progress.advance(bytes),
    });
    const sealed = await registry.packages.finalize(record.id);
    progress.stop();
    return { sealed, uploadedBytes };
  } catch (error) {
    progress.stop();
    throw await giveUp(registry, record, options, signal.aborted ? signal.reason : error);
  }
}

/** A push with this key was finished before: it is the same one if the package holds the same files. */
async function sealedEarlier(registry: RemoteRegistry, record: Package, tree: Tree, signal: AbortSignal): Promise<Finalized> {
  const sealed = await registry.packages.manifest(record.id);
  const { files } = decodeCbor(sealed?.bytes ?? new Uint8Array()) as unknown as Manifest;
  const digests = new Map(files.map((file) => [file.relative_path, file.digest_sha256]));
  let same = files.length === tree.files.length;
  for (const file of tree.files) {
    if (!same) break;
    same = `sha256:${digests.get(file.relativePath)}` === (await hashFile(file, signal)).contentAddress;
  }
  if (!same)
    throw new ArtifactstoreError(
      'idempotency_conflict',
      `With this key package ${record.id} was sealed, and it holds other files than the directory.`,
      {
        info: { package_id: record.id, hint: 'use a new --idempotency-key for a new package' },
      },
    );
  return await registry.packages.finalize(record.id);
}

/** Leaves no half-filled package behind, unless its key says that the push will go on. Answers the error with what to do. */
async function giveUp(registry: RemoteRegistry, record: Package, options: PushOptions, error: unknown): Promise<unknown> {
  if (!isArtifactstoreError(error)) return error;
  let hint: string;
  if (options.idempotencyKey !== undefined)
    hint = `package ${record.id} is not sealed; run the same command with the same --idempotency-key to go on with it`;
  else if (error.code === 'server_unreachable')
    hint = `package ${record.id} is not sealed and will be given up by itself; push again when the server is back`;
  else
    hint = await registry.packages.abandon(record.id).then(
      () => `nothing was sealed, package ${record.id} is abandoned; push again`,
      () => `nothing was sealed, package ${record.id} will be given up by itself; push again`,
    );
  const own = error.info?.hint;
  return new ArtifactstoreError(error.code, error.message, {
    ...(error.field === undefined ? {} : { field: error.field }),
    info: { ...error.info, package_id: record.id, hint: typeof own === 'string' ? `${own}; ${hint}` : hint },
    cause: error.cause,
  });
}

function newPackage(context: Context, root: string, options: PushOptions): NewPackage {
  const name = options.name ?? basename(root);
  return {
    name,
    producer: options.producer,
    subject: options.subject ?? name,
    retention_class: options.retentionClass,
    metadata: { ...metadataFile(context, options.metadataFile), ...Object.fromEntries((options.metadata ?? []).map(metadataEntry)) },
    ...(options.metadataSchema === undefined ? {} : { metadata_schema_slug: options.metadataSchema }),
  };
}

function metadataFile({ directory }: Context, path: string | undefined): JsonObject {
  if (path === undefined) return {};
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(resolve(directory, path));
  } catch (cause) {
    throw new ArtifactstoreError('invalid_value', `"${path}" can't be read: ${(cause as Error).message}`, {
      field: '--metadata-file',
      cause,
    });
  }
  const value = parseJson(bytes);
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new ArtifactstoreError('invalid_value', `"${path}" does not hold a JSON object.`, { field: '--metadata-file' });
  return value as JsonObject;
}

function metadataEntry(text: string): readonly [string, JsonValue] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new ArtifactstoreError('invalid_value', `"${text}" does not look like key=value.`, { field: '--metadata' });
  const value = text.slice(equals + 1);
  try {
    return [text.slice(0, equals), parseJson(Buffer.from(value))];
  } catch {
    return [text.slice(0, equals), value];
  }
}
