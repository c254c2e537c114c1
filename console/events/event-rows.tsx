import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { formatCount } from '../format.ts';
import { Facts } from '../parts/page.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Address, Time } from '../parts/values.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { nameOfType, type ShownLink, events as text } from '../strings/events.ts';
import { isFault, type Link } from './chain.ts';
import type { ShownEvent } from './messages.ts';

const columns = [{ name: text.sequence, right: true }, text.event, text.about, text.actor, text.when, text.verdict] as const;

export function EventRows({
  items,
  isFiltered,
  below,
}: {
  readonly items: readonly ShownEvent[];
  readonly isFiltered: boolean;
  readonly below: ComponentChildren;
}) {
  return (
    <Table label={text.label} columns={columns} below={below}>
      {items.map((event) => (
        <EventRow key={event.sequence} event={event} link={shownLink(event.link, isFiltered)} />
      ))}
    </Table>
  );
}

function EventRow({ event, link }: { readonly event: ShownEvent; readonly link: ShownLink }) {
  const isOpen = useSignal(false);
  const sequence = formatCount(event.sequence);
  return (
    <>
      <Row class={isFault(event.link) ? 'row-bad' : undefined}>
        <td class="right">
          <button
            type="button"
            class="row-button number"
            aria-expanded={isOpen.value}
            aria-label={text.open(sequence)}
            onClick={() => {
              isOpen.value = !isOpen.value;
            }}
          >
            {sequence}
          </button>
        </td>
        <td class="wide">
          {event.found_bad ? <span class="problem">{text.foundBad}</span> : nameOfType(event.event_type)}
          {event.summary === '' ? null : <span class="second">{event.summary}</span>}
        </td>
        <td>
          {kindOf(event.subject_kind)}
          <span class="second">
            <Subject event={event} />
          </span>
        </td>
        <td class="wide-some">{event.actor}</td>
        <td>
          <Time at={event.created_at} inList />
        </td>
        <td title={text.linkMeaning[link]}>
          <Verdict of={verdictOf(link)} text={text.link[link]} />
        </td>
      </Row>
      {isOpen.value ? (
        <Row>
          <td colSpan={columns.length} class="wide">
            <Details event={event} link={link} />
          </td>
        </Row>
      ) : null}
    </>
  );
}

/** Faults stay what they are. */
function shownLink(link: Link, isFiltered: boolean): ShownLink {
  return isFiltered && (link === 'follows' || link === 'begins') ? 'alone' : link;
}

function verdictOf(link: ShownLink): 'good' | 'part' | 'bad' {
  return link === 'follows' ? 'good' : link !== 'alone' && isFault(link) ? 'bad' : 'part';
}

function kindOf(kind: string): string {
  return (text.kinds as Readonly<Record<string, string>>)[kind] ?? kind;
}

function Subject({ event: { subject_kind: kind, subject_id: id } }: { readonly event: ShownEvent }) {
  const shown = <code title={id}>{id.length > 24 ? `${id.slice(0, 12)}…${id.slice(-6)}` : id}</code>;
  if (kind === 'package') return <a href={`packages/${encodeURIComponent(id)}`}>{shown}</a>;
  if (kind === 'file' || kind === 'object') return <a href={`search?${new URLSearchParams({ q: id })}`}>{shown}</a>;
  if (kind === 'backend') return <a href="storage">{shown}</a>;
  return shown;
}

function Details({ event, link }: { readonly event: ShownEvent; readonly link: ShownLink }) {
  const { details } = text;
  return (
    <div class="event-details">
      <Facts
        items={[
          [details.type, <code key="t">{event.event_type}</code>],
          [details.time, <code key="w">{event.created_at}</code>],
          [details.subject, <Address key="s" text={event.subject_id} what={details.subject} />],
          [details.payloadDigest, <Address key="p" text={event.payload_digest} what={details.payloadDigest} />],
          [
            details.chainDigest,
            event.chain_digest === null ? (
              <span class="quiet">{details.noChain}</span>
            ) : (
              <Address text={event.chain_digest} what={details.chainDigest} />
            ),
          ],
          [text.verdict, text.linkMeaning[link]],
        ]}
      />
      <section class="payload" tabIndex={0} aria-label={details.payload}>
        <pre>{event.payload_text}</pre>
      </section>
      {event.payload_length > event.payload_text.length ? <p class="quiet">{details.cut(formatCount(event.payload_length))}</p> : null}
    </div>
  );
}
