import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { callJson } from '../api/call.ts';
import type { Health } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { EventRows } from '../events/event-rows.tsx';
import { type Feed, type FeedQuery, openFeed, windowEvents } from '../events/feed.ts';
import { Filters } from '../events/filters.tsx';
import { Called, isAskedAsName, looksLikeId, usePackagesCalled } from '../events/subject.tsx';
import { FeedVerdict } from '../events/verdict.tsx';
import { formatCount } from '../format.ts';
import { announce } from '../parts/announce.tsx';
import { ByHand } from '../parts/by-hand.tsx';
import { FoldedFilters } from '../parts/folded-filters.tsx';
import { Icon } from '../parts/icon.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Failure, Loaded, Loading } from '../parts/states.tsx';
import { place, withQuery } from '../router.ts';
import { session } from '../session.ts';
import { events as text } from '../strings/events.ts';

/** How far back the page begins where nothing else is asked; further with a filter, which leaves much out. */
const latest = 100;
const latestFiltered = 5_000;
/** A place in the log that was asked for is shown with so many events after it. */
const shownAfter = 200;
export const filterNames = ['event_type', 'subject_kind', 'subject_id'] as const;

export default function Events() {
  const { query } = place.value;
  const typed: FeedQuery = Object.fromEntries(
    filterNames.flatMap((name) => {
      const value = query.get(name)?.trim() ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
  const health = useResource('health', (signal) => callJson<Health>('health', { signal }));
  const { subject_id: subject = '', subject_kind: kind = '' } = typed;
  const called = usePackagesCalled(subject, kind);
  // A name may be the id of something too: then its events are shown, and packages that are called so are offered.
  const isBackend = kind === '' && health.value?.backends.some(({ backend_id }) => backend_id === subject) === true;
  const mayBeId = isBackend || looksLikeId(subject, kind);
  const packages = called.value?.items ?? [];
  const chosen = packages.length === 1 && !mayBeId ? packages[0] : undefined;
  return (
    <Page title={text.title}>
      <p class="quiet">{Object.keys(typed).length > 0 ? text.leadFiltered : text.lead}</p>
      <FoldedFilters key={query.toString()} inForce={Object.keys(typed).length}>
        <Filters query={query} />
      </FoldedFilters>
      <Loaded of={called} rows={10}>
        {(found) => (
          <>
            {isAskedAsName(subject, kind) ? <Called called={found} chosen={chosen} besideId={mayBeId} /> : null}
            {packages.length > 0 && chosen === undefined && !mayBeId ? null : (
              <Log
                asked={chosen === undefined ? typed : { ...typed, subject_kind: 'package', subject_id: chosen.id }}
                query={query}
                health={health}
              />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

interface LogParts {
  readonly asked: FeedQuery;
  readonly query: URLSearchParams;
  readonly health: Resource<Health>;
}

function Log({ asked, query, health }: LogParts) {
  const given = /^\d{1,15}$/.test(query.get('since') ?? '') ? Number(query.get('since')) : undefined;
  const isFiltered = Object.keys(asked).length > 0;
  const end = health.value?.last_sequence;
  const back = isFiltered ? latestFiltered : latest;
  const since = given ?? (asked.subject_id !== undefined ? 0 : end === undefined ? undefined : Math.max(0, end - back));
  const stopAfter = given !== undefined && query.get('whole') === null ? shownAfter : undefined;
  const actor = session.value.who?.actor;
  const command = ['events', '--since', String(since ?? 0), ...Object.entries(asked).flatMap(asOption)];
  return (
    <>
      {since === undefined ? (
        <Loaded of={health}>{() => <Loading rows={10} />}</Loaded>
      ) : (
        <Followed key={JSON.stringify([asked, given ?? 'latest', stopAfter, actor])} since={since} asked={asked} stopAfter={stopAfter} />
      )}
      <ByHand command={command} request={{ path: 'events', query: { ...asked, since: String(since ?? 0) } }} />
    </>
  );
}

function asOption([name, value]: readonly [string, string]): readonly string[] {
  return [name === 'event_type' ? '--type' : `--${name.replaceAll('_', '-')}`, value];
}

interface FollowedParts {
  readonly since: number;
  readonly asked: FeedQuery;
  readonly stopAfter: number | undefined;
}

function Followed({ since, asked, stopAfter }: FollowedParts) {
  const feed = useSignal<Feed | undefined>(undefined);
  useEffect(() => {
    const opened = openFeed(since, asked, stopAfter);
    feed.value = opened;
    return () => opened.close();
  }, []);
  const who = session.value.epoch;
  // Whoever signs in again continues where the log was read to.
  useEffect(() => {
    if (feed.peek()?.view.peek().state === 'failed') feed.peek()?.resume();
  }, [who]);
  const state = feed.value?.view.value.state;
  useEffect(() => {
    if (state !== undefined && state !== 'connecting') announce(text.state[state]);
  }, [state]);
  if (feed.value === undefined) return <Loading rows={10} />;
  return <Shown feed={feed.value} isFiltered={Object.keys(asked).length > 0} />;
}

function Shown({ feed, isFiltered }: { readonly feed: Feed; readonly isFiltered: boolean }) {
  const view = feed.view.value;
  const { state, items, position, problem } = view;
  if (problem !== undefined && problem.status !== 401 && items.length === 0) return <Failure problem={problem} retry={feed.resume} />;
  const first = items.at(-1)?.sequence;
  const isRunning = state !== 'held' && state !== 'failed';
  return (
    <>
      <div class="feed-bar">
        <p class={`feed-state feed-${state}`}>
          <span class="feed-dot" aria-hidden="true" /> {text.state[state]}
          <span class="quiet"> · {text.position(formatCount(position))}</span>
        </p>
        <div class="buttons">
          <button type="button" class="button" onClick={isRunning ? feed.hold : feed.resume}>
            <Icon name={isRunning ? 'hold' : 'play'} /> {isRunning ? text.hold : text.resume}
          </button>
          {first === 1 ? null : (
            <a class="button" href={withQuery({ since: String(Math.max(0, (first ?? position) - 1 - shownAfter)), whole: undefined })}>
              {text.earlier}
            </a>
          )}
          {place.value.query.has('since') ? (
            <>
              {state === 'held' ? (
                <a class="button" href={withQuery({ since: String(position), whole: undefined })}>
                  {text.later}
                </a>
              ) : null}
              <a class="button" href={withQuery({ since: undefined, whole: undefined })}>
                {text.latest}
              </a>
            </>
          ) : null}
          {isFiltered ? null : (
            <a class="button" href={withQuery({ since: '0', whole: 'yes' })}>
              {text.whole}
            </a>
          )}
        </div>
      </div>
      <FeedVerdict view={view} isFiltered={isFiltered} />
      {problem !== undefined && problem.status !== 401 ? <Failure problem={problem} retry={feed.resume} /> : null}
      {items.length > 0 ? (
        <EventRows
          items={items}
          isFiltered={isFiltered}
          below={items.length < windowEvents ? null : <p class="quiet">{text.left(formatCount(windowEvents))}</p>}
        />
      ) : state === 'connecting' ? (
        <Loading rows={10} />
      ) : (
        <Empty title={isFiltered ? text.noneFiltered : text.none}>{text.noneDetail}</Empty>
      )}
    </>
  );
}
