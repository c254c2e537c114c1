import { useSignal } from '@preact/signals';
import { callJson } from '../api/call.ts';
import type { EventPage, EventRecord, Package } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { Section } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { Time } from '../parts/values.tsx';
import { nameOfType } from '../strings/events.ts';
import { strings } from '../strings.ts';

const text = strings.package;
const shown = 50;

/** What the log says of this package itself; its files have events of their own. */
export function Events({ record }: { readonly record: Package }) {
  const since = useSignal<readonly number[]>([0]);
  const query = { subject_kind: 'package', subject_id: record.id };
  return (
    <Section title={text.events}>
      {record.file_count === 0 ? null : <p class="quiet">{text.eventsOfFiles}</p>}
      <Table label={text.eventsLabel} columns={[{ name: text.sequence, right: true }, text.event, text.actor, text.when]}>
        {since.value.map((from, index) => (
          <EventRows
            key={from}
            from={from}
            query={query}
            {...(index === since.value.length - 1
              ? {
                  more: (next: number) => {
                    since.value = [...since.value, next];
                  },
                }
              : {})}
          />
        ))}
      </Table>
    </Section>
  );
}

function EventRows({
  from,
  query,
  more,
}: {
  readonly from: number;
  readonly query: Readonly<Record<string, string>>;
  readonly more?: (next: number) => void;
}) {
  const page = useResource(`${query.subject_id} ${from}`, (signal) =>
    callJson<EventPage>('events', { query: { ...query, since: from, limit: shown }, signal }),
  );
  if (page.value === undefined)
    return (
      <tr>
        <td colSpan={4}>
          <Loaded of={page}>{() => null}</Loaded>
        </td>
      </tr>
    );
  const { items, next_since, last_sequence } = page.value;
  const ended = next_since >= last_sequence || items.length === 0;
  return (
    <>
      {items.map((event) => (
        <EventRow key={event.sequence} event={event} />
      ))}
      {ended && from === 0 && items.length === 0 ? (
        <tr>
          <td colSpan={4}>
            <Empty title={text.noEvents} />
          </td>
        </tr>
      ) : null}
      {!ended && more !== undefined ? (
        <tr>
          <td colSpan={4}>
            <button type="button" class="button" onClick={() => more(next_since)}>
              {strings.table.more}
            </button>
          </td>
        </tr>
      ) : null}
    </>
  );
}

function EventRow({ event }: { readonly event: EventRecord }) {
  return (
    <tr>
      <td class="right number">{event.sequence}</td>
      <td>
        {nameOfType(event.event_type)} <code class="second">{event.event_type}</code>
      </td>
      <td>{event.actor}</td>
      <td>
        <Time at={event.created_at} />
      </td>
    </tr>
  );
}
