import type { PublishedArtifacts } from '../bundle/addresses.ts';
import type { LocalBundle } from '../bundle/local-bundle.ts';
import { titleOf } from '../bundle/manifest.ts';
import { addressedArtifacts } from '../bundle/published.ts';
import { publishBundle } from '../client/publish/publish-bundle.ts';
import { type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import { blamed } from './blame-option.ts';
import { connect, longPatienceSeconds } from './connect.ts';
import type { Context } from './context.ts';
import { withHint } from './terminal/hint.ts';
import { createProgress } from './terminal/progress.ts';
import { counted, formatBytes } from './terminal/size.ts';

export interface SessionCommandOptions {
  readonly producer: string;
  readonly retentionClass: string;
  /** In milliseconds. */
  readonly ttl: number;
  readonly jobs: number;
  readonly idempotencyKey?: string;
  readonly baseUrl?: string;
}

/** Hands bundles that were checked over to the registry, each as a write session, and gives their addresses there. */
export async function publishInSessions(
  context: Context,
  bundles: readonly LocalBundle[],
  options: SessionCommandOptions,
  signal: AbortSignal,
): Promise<PublishedArtifacts> {
  const { output } = context;
  const { producer, retentionClass, ttl, jobs, idempotencyKey, baseUrl } = options;
  await using registry = connect(context, { patienceSeconds: longPatienceSeconds });
  const all = bundles.flatMap(({ bundle }) => bundle.artifacts).reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const progress = await createProgress(output, 'publishing', all);
  const published: Record<string, PublishedArtifacts[string]> = {};
  const notes: string[] = [];
  try {
    for (const local of bundles) {
      let sent = 0;
      const { artifacts, package_id } = await publishBundle(registry, local, {
        producer,
        retentionClass,
        ttlSeconds: Math.floor(ttl / 1000),
        jobs,
        idempotencyKey,
        signal,
        onTaken({ size_bytes }, sentBytes) {
          sent += sentBytes ?? 0;
          progress.advance(size_bytes);
        },
      });
      Object.assign(published, artifacts);
      const count = counted(local.bundle.artifacts.length, 'artifact');
      notes.push(`published ${titleOf(local.bundle)} as package ${package_id}: ${count}, ${formatBytes(sent)} sent`);
    }
  } catch (error) {
    throw explained(error);
  } finally {
    progress.stop();
    for (const note of notes) output.note(note);
  }
  return baseUrl === undefined ? published : addressedArtifacts(bundles, baseUrl);
}

function explained(error: unknown): unknown {
  if (!isArtifactstoreError(error)) return error;
  if (againCodes.has(error.code))
    return withHint(error, 'nothing is visible of what was not committed; the same command sends only what is missing');
  return blamed(error, {
    '/producer': '--producer',
    '/retention_class': '--retention-class',
    '/ttl_seconds': '--ttl',
    '/idempotency_key': '--idempotency-key',
    'idempotency-key': '--idempotency-key',
  });
}

const againCodes: ReadonlySet<ErrorCode> = new Set([
  'cancelled',
  'server_unreachable',
  'storage_unavailable',
  'storage_full',
  'database_unavailable',
  'request_timeout',
  'quota_exceeded',
  'digest_mismatch',
  'length_mismatch',
  'object_too_long',
  'write_session_incomplete',
  'write_session_expired',
]);
