import { useSignal } from '@preact/signals';
import type { Ref } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { callJson } from '../api/call.ts';
import type { EventPage, EventRecord, Package } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { summaryOf } from '../events/summary.ts';
import { formatCount } from '../format.ts';
import { Section } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { type Column, Row, Table } from '../parts/table.tsx';
import { Time } from '../parts/values.tsx';
import { events as log, nameOfType } from '../strings/events.ts';
import { strings } from '../strings.ts';

const text = strings.package;
const shown = 50;
const columns: readonly Column[] = [{ name: log.sequence, right: true }, log.event, log.actor, log.when];

/** What the log says of this package itself; its files have events of their own. */
export function Events({ record, first }: { readonly record: Package; readonly first: Resource<EventPage> }) {
  const since = useSignal<readonly number[]>([]);
  const more = (next: number): void => {
    since.value = [...since.value, next];
  };
  const inLog = `events?${new URLSearchParams({ subject_kind: 'package', subject_id: record.id })}`;
  return (
    <Section
      title={text.events}
      beside={
        <a class="button" href={inLog}>
          {text.eventsInLog}
        </a>
      }
    >
      {record.file_count === 0 ? null : <p class="quiet">{text.eventsOfFiles}</p>}
      <Table label={text.eventsLabel} columns={columns}>
        <EventRows page={first} from={0} more={since.value.length === 0 ? more : undefined} />
        {since.value.map((from, index) => (
          <LaterRows key={from} id={record.id} from={from} more={index === since.value.length - 1 ? more : undefined} />
        ))}
      </Table>
    </Section>
  );
}

/** A page of the events of a package after a sequence. */
export function useEvents(id: string, from: number): Resource<EventPage> {
  return useResource(`events ${id} ${from}`, (signal) =>
    callJson<EventPage>('events', { query: { subject_kind: 'package', subject_id: id, since: from, limit: shown }, signal }),
  );
}

interface RowsParts {
  readonly from: number;
  /** Undefined where later ones are asked for already. */
  readonly more: ((next: number) => void) | undefined;
}

function LaterRows({ id, ...rows }: RowsParts & { readonly id: string }) {
  return <EventRows page={useEvents(id, rows.from)} {...rows} />;
}

function EventRows({ page, from, more }: RowsParts & { readonly page: Resource<EventPage> }) {
  const first = useRef<HTMLAnchorElement>(null);
  const isRead = page.value !== undefined;
  // The button that was pressed for them is gone, and nobody has moved the focus since.
  useEffect(() => {
    if (isRead && from > 0 && document.activeElement === document.body) first.current?.focus();
  }, [isRead]);
  if (page.value === undefined)
    return (
      <Row>
        <td colSpan={4}>
          <Loaded of={page}>{() => null}</Loaded>
        </td>
      </Row>
    );
  const { items, next_since, last_sequence } = page.value;
  const ended = next_since >= last_sequence || items.length === 0;
  return (
    <>
      {items.map((event, index) => (
        <EventRow key={event.sequence} event={event} link={index === 0 ? first : null} />
      ))}
      {ended && from === 0 && items.length === 0 ? (
        <Row>
          <td colSpan={4}>
            <Empty title={text.noEvents} />
          </td>
        </Row>
      ) : null}
      {!ended && more !== undefined ? (
        <Row>
          <td colSpan={4}>
            <button type="button" class="button" onClick={() => more(next_since)}>
              {strings.table.more}
            </button>
          </td>
        </Row>
      ) : null}
    </>
  );
}

function EventRow({ event, link }: { readonly event: EventRecord; readonly link: Ref<HTMLAnchorElement> | null }) {
  const { sequence, event_type, payload, actor } = event;
  const summary = summaryOf(payload);
  return (
    <Row>
      <td class="right number">
        <a ref={link} href={`events?since=${sequence - 1}`} aria-label={text.eventInLog(formatCount(sequence))}>
          {formatCount(sequence)}
        </a>
      </td>
      <td class="wide">
        {nameOfType(event_type)} {summary === '' ? null : <span class="second">{summary}</span>}
        <code class="second">{event_type}</code>
      </td>
      <td class="wide-some">{actor}</td>
      <td>
        <Time at={event.created_at} inList />
      </td>
    </Row>
  );
}
