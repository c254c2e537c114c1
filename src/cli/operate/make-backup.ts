import { resolve } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { BackupProblem, MissingObject } from '../../registry/upkeep/OPERATOR.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import type { Context } from '../context.ts';
import { incidentText } from '../terminal/incident-text.ts';
import type { Output } from '../terminal/output.ts';
import { createProgressLine } from '../terminal/progress-line.ts';
import { counted, formatBytes } from '../terminal/size.ts';

export interface BackupCommandOptions {
  readonly jobs: number;
  /** Bytes a second. */
  readonly rate?: number;
  readonly verify?: boolean;
}

/**
 * Copies the registry into a directory, and throws `integrity_failure` at the end when something live is not in the
 * copy.
 */
export async function makeBackup(context: Context, directory: string, options: BackupCommandOptions): Promise<void> {
  const { config, output } = context;
  using stop = stopOnSignal();
  await using store = await context.openStore(config, {
    onIncident: (incident) => output.warn(incidentText(incident)),
  });
  using progress = createProgressLine(output);
  const making = store.operator.backup(resolve(context.directory, directory), {
    jobs: options.jobs,
    read: options.verify === true,
    signal: stop.signal,
    ...(options.rate === undefined ? {} : { bytesPerSecond: options.rate }),
    onProgress: ({ events, objects, bytes }) =>
      progress.show(() => `copying: ${counted(events, 'event')}, ${counted(objects, 'object')}, ${formatBytes(bytes)}`),
  });
  const made = await orRoomHint(making, 'make room there and run it again: it resumes');
  progress.clear();
  if (output.json) output.value(made);
  else {
    tellBad(output, made);
    const { copied, sequence, chain_digest } = made;
    const head = made.ok ? output.colors.green('backed up') : 'copied';
    output.line(
      `${head} the log up to event ${sequence}, ${counted(made.objects, 'object')} (${formatBytes(made.bytes)}) to ${made.directory}`,
    );
    output.note(`new in this run: ${counted(copied.events, 'event')}, ${counted(copied.objects, 'object')} (${formatBytes(copied.bytes)})`);
    output.note(`the log's head: ${chain_digest}`);
  }
  if (!made.ok) throw incomplete(made, 'put them back or push the same bytes again, then run the backup again');
}

export interface BadObjects {
  readonly missing: readonly MissingObject[];
  readonly problems: readonly BackupProblem[];
}

export function tellBad(output: Output, { missing, problems }: BadObjects): void {
  for (const { content_address, reason } of missing) output.line(`${output.colors.red('missing')}  ${content_address}  ${reason}`);
  for (const { path, reason } of problems) output.line(`${output.colors.red('bad')}  ${path}  ${reason}`);
}

export function incomplete({ missing, problems }: BadObjects, hint: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'integrity_failure',
    `Not in the backup: ${counted(missing.length, 'live object')} of the log. Not as it should be: ${counted(problems.length, 'file')} of the backup.`,
    { info: { missing: missing.length, bad: problems.length, hint } },
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

export function count(value: number): string {
  return value.toLocaleString('en');
}
