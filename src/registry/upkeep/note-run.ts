import { formatTimestamp } from '../../kernel/time.ts';
import type { Context } from '../context.ts';
import { incident } from '../incident.ts';
import type { RunKind } from '../operations/runs.ts';

/**
 * Marks the start of a run and returns what marks its end. A note that can't be made is an incident, and no failure of
 * the run.
 */
export function startRun(
  context: Context,
  kind: RunKind,
  backendId = '',
  started_at: string = formatTimestamp(context.now()),
): () => Promise<void> {
  return async () => {
    await context.database.write('run.record', { kind, backend_id: backendId, started_at }).catch((error: unknown) => {
      context.onIncident(incident('run_unnoted', error, { kind }));
    });
  };
}
