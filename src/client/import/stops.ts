import { type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import { isOfSource } from './source-error.ts';

/**
 * Whether an error is about the whole run and no single package: what comes next would fail in the same way. What is no
 * error of ours is a bug, and ends it too.
 */
export function endsRun(error: unknown): boolean {
  if (!isArtifactstoreError(error)) return true;
  if (error.info?.same_registry === true) return true;
  return ofBoth.has(error.code) || (!isOfSource(error) && ofTarget.has(error.code));
}

const ofBoth: ReadonlySet<ErrorCode> = new Set([
  'cancelled',
  'unauthorized',
  'server_unreachable',
  'identity_unavailable',
  'database_unavailable',
  'database_not_migrated',
  'invalid_configuration',
  'local_file_failed',
  'too_busy',
]);

/** A source may have lost one of several places, and its other packages are copied. */
const ofTarget: ReadonlySet<ErrorCode> = new Set(['storage_full', 'storage_unavailable']);
