import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { RemoteRegistry } from '../../client/connect.ts';
import { walkTree } from '../../client/walk.ts';
import { ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../kernel/format/json.ts';
import { maximumFiles } from '../../kernel/manifest.ts';
import type { Created, NewPackage, Package } from '../../registry/REGISTRY.ts';
import { fileReason, localFileError } from '../../runtime/file-error.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { blameOption } from '../blame-option.ts';
import { connect } from '../connect.ts';
import type { Context } from '../context.ts';
import { withHint } from '../terminal/hint.ts';
import { createProgress } from '../terminal/progress.ts';
import { countFiles, formatBytes } from '../terminal/size.ts';
import { fillPackage } from './fill-package.ts';

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

/** How long a server may be unavailable in the middle of a push. */
const patienceSeconds = 60;

/** Sends a directory as a new package and seals it. */
export async function pushDirectory(context: Context, directory: string, options: PushOptions): Promise<void> {
  const { output } = context;
  const root = resolve(context.directory, directory);
  const input = newPackage(context, root, options);
  const tree = walkTree(root);
  for (const path of tree.draftFolders)
    output.note(`warning: "${path}" is left out: a pull that was stopped left it, or one is in progress`);
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
    const { record, created } = await openPackage(registry, input, options);
    const progress = await createProgress(
      output,
      'pushing',
      tree.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    );
    const { sealed, uploadedBytes } = await fillPackage({
      registry,
      record,
      created,
      tree,
      keyed: options.idempotencyKey !== undefined,
      jobs: options.jobs,
      signal: stop.signal,
      progress,
    })
      .catch(async (error: unknown) => {
        throw await giveUp(registry, record, options, stop.signal.aborted ? stop.signal.reason : error);
      })
      .finally(() => progress.stop());
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

/** With a key of its own even a request whose answer was lost makes one package only. */
async function openPackage(registry: RemoteRegistry, input: NewPackage, options: PushOptions): Promise<Created<Package>> {
  const { idempotencyKey: key } = options;
  try {
    return await blameOption(registry.packages.create(input, { idempotencyKey: key ?? randomUUID() }), {
      '/name': '--name',
      '/producer': '--producer',
      '/subject': '--subject',
      '/retention_class': '--retention-class',
      '/metadata': options.metadataFile !== undefined && options.metadata === undefined ? '--metadata-file' : '--metadata',
      '/metadata_schema_slug': '--metadata-schema',
      'idempotency-key': '--idempotency-key',
    });
  } catch (error) {
    if (!isArtifactstoreError(error, 'idempotency_conflict')) throw error;
    throw new ArtifactstoreError(
      error.code,
      `The key "${key}" was used for a push with another name, subject, retention class or other metadata, as package ${error.info?.package_id}.`,
      {
        field: '--idempotency-key',
        info: { ...error.info, hint: 'give the same ones again, or use a new --idempotency-key for a new package' },
        cause: error,
      },
    );
  }
}

/**
 * Leaves no half-filled package behind, unless its key says that the push will be resumed. Answers the error with what
 * to do.
 */
async function giveUp(registry: RemoteRegistry, record: Package, options: PushOptions, thrown: unknown): Promise<unknown> {
  const error = localFileError(thrown, (thrown as NodeJS.ErrnoException).path ?? '', 'read');
  if (!isArtifactstoreError(error)) return error;
  // The key's package can't become what this directory is.
  if (options.idempotencyKey !== undefined && endedCodes.has(error.code)) return error;
  const hint = await whatIsLeft(registry, record.id, options.idempotencyKey !== undefined, error.code);
  return withHint(error, hint, { package_id: record.id });
}

/** What became of the package, as far as that is known, and the next step where one can help. */
async function whatIsLeft(registry: RemoteRegistry, id: string, keyed: boolean, code: ErrorCode): Promise<string> {
  const again = againCodes.has(code);
  if (keyed) return again ? `run the same command with the same --idempotency-key to resume package ${id}` : `package ${id} is not sealed`;
  // The answer to the sealing may be what was lost.
  if (code === 'server_unreachable')
    return `\`artifactstore packages show ${id}\` tells whether it was sealed; if not, a collection gives it up: push again then`;
  const next = again ? '; push again' : '';
  try {
    await registry.packages.abandon(id);
    return `nothing was sealed, package ${id} is abandoned${next}`;
  } catch {
    const found = await registry.packages.get(id).catch(() => undefined);
    if (found?.status === 'finalized') return `package ${id} was sealed anyway`;
    return found === undefined
      ? `what became of package ${id} is not known`
      : `package ${id} is not sealed; a collection gives it up${next}`;
  }
}

/** Where the same push can succeed, once what the message says is mended. */
const againCodes: ReadonlySet<ErrorCode> = new Set([
  'server_unreachable',
  'storage_unavailable',
  'storage_full',
  'database_unavailable',
  'request_timeout',
  'unauthorized',
  'digest_mismatch',
  'length_mismatch',
  'precondition_failed',
  'local_file_failed',
  'invalid_path',
  'cancelled',
  'internal',
]);

const endedCodes: ReadonlySet<ErrorCode> = new Set(['idempotency_conflict', 'package_not_open', 'package_collected']);

function newPackage(context: Context, root: string, options: PushOptions): NewPackage {
  const name = options.name ?? basename(root);
  return {
    name,
    producer: options.producer,
    subject: options.subject ?? name,
    retention_class: options.retentionClass,
    metadata: { ...metadataFile(context, options.metadataFile), ...metadataEntries(options.metadata ?? []) },
    ...(options.metadataSchema === undefined ? {} : { metadata_schema_slug: options.metadataSchema }),
  };
}

function metadataFile({ directory }: Context, path: string | undefined): JsonObject {
  if (path === undefined) return {};
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(resolve(directory, path));
  } catch (cause) {
    throw optionError('--metadata-file', `"${path}" can't be read: ${fileReason(cause)}`, cause);
  }
  let value: JsonValue;
  try {
    value = parseJson(bytes);
  } catch (cause) {
    throw optionError('--metadata-file', `"${path}" holds no JSON that can be kept: ${(cause as Error).message}`, cause);
  }
  if (!isJsonObject(value)) throw optionError('--metadata-file', `"${path}" does not hold a JSON object.`);
  return value;
}

function metadataEntries(texts: readonly string[]): JsonObject {
  const entries = texts.map(metadataEntry);
  const keys = new Set<string>();
  for (const [key] of entries) {
    if (keys.has(key)) throw optionError('--metadata', `The key "${key}" is given twice.`);
    keys.add(key);
  }
  return Object.fromEntries(entries);
}

function optionError(option: string, message: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `${option}: ${message}`, { field: option, cause });
}

function metadataEntry(text: string): readonly [string, JsonValue] {
  const equals = text.indexOf('=');
  if (equals < 1) throw optionError('--metadata', `"${text}" does not look like key=value.`);
  const value = text.slice(equals + 1);
  try {
    return [text.slice(0, equals), parseJson(Buffer.from(value))];
  } catch {
    return [text.slice(0, equals), value];
  }
}
