import { basename, resolve } from 'node:path';
import { isPackageLeft, type PackageLeft, pushDirectory } from '../../client/push/push-directory.ts';
import { type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import type { NewPackage } from '../../registry/REGISTRY.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { blamed } from '../blame-option.ts';
import { connect, longPatienceSeconds } from '../connect.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { metadataOf } from '../metadata-options.ts';
import { optionNames } from '../option-names.ts';
import { withHint } from '../terminal/hint.ts';
import { positiveInteger } from '../terminal/numbers.ts';
import { createProgress } from '../terminal/progress.ts';
import { countFiles, formatBytes } from '../terminal/size.ts';

interface PushCommandOptions {
  readonly name?: string;
  readonly producer: string;
  readonly subject?: string;
  readonly retentionClass: string;
  readonly metadata?: readonly string[];
  readonly metadataFile?: string;
  readonly metadataSchema?: string;
  readonly idempotencyKey?: string;
  readonly checksum?: boolean;
  readonly jobs: number;
}

export const push: Definition = (command, context) => {
  command
    .argument('<dir>', 'the directory; every file below it becomes a file of the package')
    .option('--name <name>', "the package's name (default: the name of the directory)")
    .option('--producer <producer>', 'who made it', 'cli')
    .option('--subject <subject>', 'what it is about (default: the name)')
    .option('--retention-class <slug>', 'how long it is kept', 'raw-evidence')
    .option('--metadata <key=value>', 'a JSON value, or else a string; can be given again', (text, all: readonly string[] = []) => [
      ...all,
      text,
    ])
    .option('--metadata-file <file>', 'a JSON object; --metadata overrides it')
    .option('--metadata-schema <slug>', 'a registered schema that the metadata must match')
    .option('--idempotency-key <key>', 'with the same key, a push that failed is resumed where it stopped')
    .option('--checksum', 'read every file, also one that has not changed since an earlier push')
    .option('--jobs <n>', 'requests at once', positiveInteger, 8)
    .addHelpText(
      'after',
      `
Hidden and empty files are files; symbolic links are refused; empty directories
are left out, with a warning. Bytes that the server has are not sent again, and
files that have not changed since an earlier push are not read again.

Examples:
  $ artifactstore push ./results --producer ci --subject nightly
  $ artifactstore push ./results --retention-class release-evidence --metadata build=42 --metadata branch=main
  $ artifactstore push ./results --json --idempotency-key "$CI_JOB_ID"`,
    )
    .action(async (directory: string, options: PushCommandOptions) => {
      await pushFrom(context(), directory, options);
    });
};

async function pushFrom(context: Context, directory: string, options: PushCommandOptions): Promise<void> {
  const { output } = context;
  const root = resolve(context.directory, directory);
  const input = newPackage(context, root, options);
  using stop = stopOnSignal();
  await using registry = connect(context, { patienceSeconds: longPatienceSeconds });
  const progress = await createProgress(output, 'pushing');
  const { idempotencyKey, checksum = false } = options;
  const { cacheDirectory } = context.config;
  let remembered = 0;
  const pushed = await pushDirectory(registry, root, input, {
    jobs: options.jobs,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(cacheDirectory === undefined ? {} : { cacheDirectory }),
    checksum,
    signal: stop.signal,
    names: optionNames,
    shownDirectory: directory,
    onTotal: progress.grow,
    onDone: progress.advance,
    onRemembered: () => {
      remembered += 1;
    },
    onWrongDigest: (path) =>
      output.warn(`warning: "${path}" has other bytes than an earlier push read, though its size, times and inode are the same`),
    onLeftOut: (text) => output.note(`warning: ${text}`),
  })
    .catch((error: unknown) => {
      throw explained(error, options);
    })
    .finally(progress.stop);
  if (output.json) return output.value(pushed);
  output.line(`${output.colors.green('sealed')} package ${output.colors.bold(pushed.package_id)}`);
  output.line(`  ${countFiles(pushed.file_count)}, ${formatBytes(pushed.total_bytes)}, ${formatBytes(pushed.uploaded_bytes)} sent`);
  if (remembered > 0) output.line(`  ${countFiles(remembered)} not read again: unchanged since an earlier push`);
  output.line(`  manifest ${pushed.manifest_digest}`);
}

/** What became of the package and the next step; or, when there is none yet, which option was refused. */
function explained(error: unknown, options: PushCommandOptions): unknown {
  if (!isArtifactstoreError(error)) return error;
  const { package_id: id, package_left: left } = error.info ?? {};
  if (typeof id === 'string') return isPackageLeft(left) ? withHint(error, whatIsLeft(id, left, error.code, options)) : error;
  return blamed(error, {
    '/name': '--name',
    '/producer': '--producer',
    '/subject': '--subject',
    '/retention_class': '--retention-class',
    '/metadata': options.metadataFile !== undefined && options.metadata === undefined ? '--metadata-file' : '--metadata',
    '/metadata_schema_slug': '--metadata-schema',
    '/idempotency_key': '--idempotency-key',
    'idempotency-key': '--idempotency-key',
  });
}

function whatIsLeft(id: string, left: PackageLeft, code: ErrorCode, { idempotencyKey }: PushCommandOptions): string {
  const again = againCodes.has(code);
  if (idempotencyKey !== undefined)
    return again ? `run the same command with the same --idempotency-key to resume package ${id}` : `package ${id} is not sealed`;
  if (left === 'unknown' && code === 'server_unreachable')
    return `\`artifactstore packages show ${id}\` tells whether it was sealed; if not, a collection abandons it: push again then`;
  const next = again ? '; push again' : '';
  const said: { readonly [L in PackageLeft]: string } = {
    abandoned: `nothing was sealed, package ${id} is abandoned${next}`,
    sealed: `package ${id} was sealed anyway`,
    unknown: `what became of package ${id} is not known`,
    open: `package ${id} is not sealed; a collection abandons it${next}`,
  };
  return said[left];
}

/** Where the same push can succeed, once what the message says is mended. */
const againCodes: ReadonlySet<ErrorCode> = new Set([
  'server_unreachable',
  'storage_unavailable',
  'storage_full',
  'database_unavailable',
  'request_timeout',
  'identity_unavailable',
  'unauthorized',
  'forbidden',
  'quota_exceeded',
  'digest_mismatch',
  'length_mismatch',
  'precondition_failed',
  'local_file_failed',
  'invalid_path',
  'cancelled',
  'internal',
]);

function newPackage(context: Context, root: string, options: PushCommandOptions): NewPackage {
  const name = options.name ?? basename(root);
  return {
    name,
    producer: options.producer,
    subject: options.subject ?? name,
    retention_class: options.retentionClass,
    metadata: metadataOf(context.directory, options.metadataFile, options.metadata),
    ...(options.metadataSchema === undefined ? {} : { metadata_schema_slug: options.metadataSchema }),
  };
}
