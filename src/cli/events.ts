import type { EventQuery, EventRecord } from '../registry/REGISTRY.ts';
import type { Context } from './context.ts';
import type { Definition } from './definition.ts';
import { sequenceNumber } from './numbers.ts';

interface EventsOptions {
  readonly since: number;
  readonly follow?: boolean;
  readonly type?: string;
  readonly subjectKind?: string;
  readonly subjectId?: string;
}

/** How long the server holds a question that it has no event for, in seconds. */
const waitSeconds = 30;

export const events: Definition = (command, context) => {
  command
    .option('--since <sequence>', 'only events after this one', sequenceNumber, 0)
    .option('--follow', 'go on with new events as they happen, until Ctrl-C')
    .option('--type <type>', 'of this type only, such as v1.package.finalized')
    .option('--subject-kind <kind>', 'about this kind of subject only')
    .option('--subject-id <id>', 'about this subject only')
    .addHelpText(
      'after',
      `
With --json each event is one line, with its payload and digests.

Examples:
  $ artifactstore events --since 1200
  $ artifactstore events --follow --type v1.package.finalized --json`,
    )
    .action(async (options: EventsOptions) => {
      await printEvents(context(), options);
    });
};

async function printEvents(context: Context, { since, follow = false, type, subjectKind, subjectId }: EventsOptions): Promise<void> {
  const [{ connect }, { stopOnSignal }] = await Promise.all([import('./connect.ts'), import('./stop.ts')]);
  const { output } = context;
  const filter: EventQuery = {
    ...(type === undefined ? {} : { event_type: type }),
    ...(subjectKind === undefined ? {} : { subject_kind: subjectKind }),
    ...(subjectId === undefined ? {} : { subject_id: subjectId }),
  };
  using stop = stopOnSignal();
  // Its only work is to print: nobody reads, nothing is to do.
  const end = AbortSignal.any([stop.signal, output.ended]);
  const registry = connect(context, { patienceSeconds: follow ? 3600 : 10 });
  try {
    let position = since;
    for (;;) {
      const query = { ...filter, since: position, limit: 500, wait_seconds: follow ? waitSeconds : 0 };
      const page = await registry.events.page(query, end);
      for (const event of page.items)
        if (output.json) output.value(inOrder(event));
        else output.line(eventLine(event));
      await Promise.race([output.ready(), stop.asked]);
      end.throwIfAborted();
      // Filtered to nothing, everything up to the end of the log has been looked at.
      const before = position;
      position = page.items.at(-1)?.sequence ?? Math.max(position, page.last_sequence);
      if (!follow && (page.items.length === 0 || (position === before && page.items.length < 500))) return;
    }
  } catch (error) {
    // Being stopped is how following ends.
    if (!output.ended.aborted && !(follow && stop.signal.aborted)) throw error;
    output.hurry();
  } finally {
    await registry.close();
  }
}

/** The members in the order in which people read them; the wire has an order of its own. */
function inOrder({
  sequence,
  created_at,
  event_type,
  subject_kind,
  subject_id,
  actor,
  payload,
  payload_digest,
  chain_digest,
}: EventRecord): EventRecord {
  return { sequence, created_at, event_type, subject_kind, subject_id, actor, payload, payload_digest, chain_digest };
}

function eventLine({ sequence, created_at, event_type, subject_kind, subject_id, actor }: EventRecord): string {
  return `${String(sequence).padStart(8)}  ${created_at}  ${event_type.padEnd(32)}  ${subject_kind} ${subject_id}  ${actor}`;
}
