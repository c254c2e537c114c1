import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { BackupProblem, MissingObject } from '../../registry/upkeep/OPERATOR.ts';
import type { Output } from './output.ts';
import { counted } from './size.ts';

export interface BadObjects {
  readonly missing: readonly MissingObject[];
  readonly problems: readonly BackupProblem[];
}

export function tellBad(output: Output, { missing, problems }: BadObjects): void {
  for (const { content_address, reason } of missing) output.line(`${output.colors.red('missing')}  ${content_address}  ${reason}`);
  for (const { path, reason } of problems) output.line(`${output.colors.red('damaged')}  ${path}  ${reason}`);
}

export function incomplete({ missing, problems }: BadObjects, hint: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'integrity_failure',
    `Not in the backup: ${counted(missing.length, 'live object')} of the log. ` +
      `Not as it should be: ${counted(problems.length, 'file')} of the backup.`,
    { info: { missing: missing.length, damaged: problems.length, hint } },
  );
}

/** Says where room is missing: here it is not the server's. */
export async function orRoomHint<R>(work: Promise<R>, hint: string): Promise<R> {
  try {
    return await work;
  } catch (error) {
    if (!isArtifactstoreError(error, 'storage_full')) throw error;
    throw new ArtifactstoreError('storage_full', error.message, { cause: error, info: { ...error.info, hint } });
  }
}
