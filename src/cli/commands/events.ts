import { resolve } from 'node:path';
import { Option } from 'commander';
import type { RemoteRegistry } from '../../client/connect.ts';
import { openEventsFile } from '../../client/events-file.ts';
import type { EventQuery, EventRecord } from '../../registry/REGISTRY.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { connect } from '../connect.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { sequenceNumber } from '../terminal/numbers.ts';
import { counted } from '../terminal/size.ts';

interface EventsOptions {
  readonly since: number;
  readonly output?: string;
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
    .addOption(new Option('--output <file>', 'save them instead, as lines of JSON, once all are there').conflicts('follow'))
    .option('--follow', 'continue with new events as they happen, until Ctrl-C')
    .option('--type <type>', 'of this type only, such as v1.package.finalized')
    .option('--subject-kind <kind>', 'about this kind of subject only')
    .option('--subject-id <id>', 'about this subject only')
    .addHelpText(
      'after',
      `
With --json each event is one line, with its payload and digests. A token that
may not see everything is shown its own part of the log, in which the
\`chain_digest\` of every event is null.

Examples:
  $ artifactstore events --since 1200
  $ artifactstore events --output log.jsonl && artifactstore events verify --input log.jsonl
  $ artifactstore events --follow --type v1.package.finalized --json`,
    )
    .action(async (options: EventsOptions) => {
      await readEvents(context(), options);
    });
};

async function readEvents(context: Context, { output: path, ...options }: EventsOptions): Promise<void> {
  const { output } = context;
  const { follow = false } = options;
  using stop = stopOnSignal();
  await using registry = connect(context, { patienceSeconds: follow ? 3600 : 10 });
  try {
    if (path !== undefined) return await saveEvents(context, pagesOf(registry, options, stop.signal), path);
    // Its only work is to print: when nobody reads, nothing is to do.
    const end = AbortSignal.any([stop.signal, output.ended]);
    for await (const items of pagesOf(registry, options, end)) {
      for (const event of items)
        if (output.json) output.value(inOrder(event));
        else output.line(eventLine(event));
      await Promise.race([output.ready(), stop.asked]);
      end.throwIfAborted();
    }
  } catch (error) {
    // Being stopped is how following ends.
    if (!output.ended.aborted && !(follow && stop.signal.aborted)) throw error;
    output.hurry();
  }
}

async function saveEvents({ output, directory }: Context, pages: AsyncIterable<readonly EventRecord[]>, path: string): Promise<void> {
  await using file = await openEventsFile(resolve(directory, path), '--output');
  let count = 0;
  let last: EventRecord | undefined;
  for await (const items of pages) {
    await file.write(items.map(inOrder));
    count += items.length;
    last = items.at(-1) ?? last;
  }
  await file.finish();
  const { sequence = 0, chain_digest = null } = last ?? {};
  const end = chain_digest === null ? '' : `: ${chain_digest}`;
  if (output.json) output.value({ output: path, events: count, sequence, chain_digest });
  else if (last === undefined) output.line(`saved no event to ${path}: there is none`);
  else output.line(`${output.colors.green('saved')} ${counted(count, 'event')} to ${path}, the last is ${sequence}${end}`);
  if (last !== undefined && chain_digest === null)
    output.warn('this token sees a part of the log only: the file has gaps and no chain, and `events verify` cannot verify it');
}

async function* pagesOf(
  registry: RemoteRegistry,
  { since, follow = false, type, subjectKind, subjectId }: Omit<EventsOptions, 'output'>,
  signal: AbortSignal,
): AsyncGenerator<readonly EventRecord[], void, undefined> {
  const filter: EventQuery = {
    ...(type === undefined ? {} : { event_type: type }),
    ...(subjectKind === undefined ? {} : { subject_kind: subjectKind }),
    ...(subjectId === undefined ? {} : { subject_id: subjectId }),
  };
  let position = since;
  for (;;) {
    const query = { ...filter, since: position, limit: 500, wait_seconds: follow ? waitSeconds : 0 };
    const page = await registry.events.page(query, signal);
    yield page.items;
    position = page.next_since;
    if (!follow && position >= page.last_sequence) return;
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
