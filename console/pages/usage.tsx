import { callJson } from '../api/call.ts';
import { usePages } from '../api/pages.ts';
import type { Page as ListPage, ProducerRecord, Usage } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { ByHand } from '../parts/by-hand.tsx';
import { LongRows } from '../parts/long-rows.tsx';
import { More } from '../parts/more.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Failure, Loaded, Loading } from '../parts/states.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Count, Size, Time } from '../parts/values.tsx';
import { place, withQuery } from '../router.ts';
import { may } from '../session.ts';
import { usage as text } from '../strings/usage.ts';
import { type Bars, barsOf, type Measure, measures, type UsageRow } from '../usage/groups.ts';
import { formatMeasure, Plot } from '../usage/plot.tsx';

const shownProducers = 15;
const shownClasses = 12;

export default function UsagePage() {
  const observes = may('observe');
  return (
    <Page title={text.title}>
      <p class="quiet">{text.lead}</p>
      {observes ? <Whole /> : <p class="quiet">{text.ownDetail}</p>}
      <Producers alone={!observes} />
      <ByHand command={observes ? ['usage'] : ['producers', 'list']} request={{ path: observes ? 'usage' : 'producers' }} />
    </Page>
  );
}

function Whole() {
  const usage = useResource('usage', (signal) => callJson<Usage>('usage', { signal }));
  const asked = place.value.query.get('by') as Measure | null;
  const measure = asked !== null && measures.includes(asked) ? asked : 'bytes';
  return (
    <>
      <nav class="choices" aria-label={text.measure}>
        {measures.map((each) => (
          <a
            key={each}
            class="button"
            href={withQuery({ by: each === 'bytes' ? undefined : each })}
            {...(each === measure ? { 'aria-current': 'true' as const } : {})}
          >
            {text.measures[each]}
          </a>
        ))}
      </nav>
      <Loaded of={usage} rows={10}>
        {(value) =>
          value.producers.length === 0 ? (
            <Empty title={text.emptyTitle}>{text.emptyDetail}</Empty>
          ) : (
            <Plots usage={value} measure={measure} />
          )
        }
      </Loaded>
    </>
  );
}

function Plots({ usage, measure }: { readonly usage: Usage; readonly measure: Measure }) {
  const producers = barsOf(usage.producers, measure, 'producer', shownProducers);
  const classes = barsOf(usage.producers, measure, 'retention_class', shownClasses);
  return (
    <>
      <div class="columns">
        <Section title={text.byProducer}>
          <Plot bars={producers} measure={measure} link={(producer) => `packages?${new URLSearchParams({ producer })}`} />
          <LeftOut bars={producers} measure={measure} />
        </Section>
        <Section title={text.byClass}>
          <Plot bars={classes} measure={measure} link={(name) => `packages?${new URLSearchParams({ retention_class: name })}`} />
          <LeftOut bars={classes} measure={measure} />
        </Section>
      </div>
      <Section
        title={text.table}
        beside={
          <span class="quiet">
            {text.counted} <Time at={usage.counted_at} />
          </span>
        }
      >
        <Table
          label={text.tableLabel}
          of="usage"
          columns={[
            text.producer,
            text.retentionClass,
            { name: text.packages, right: true },
            { name: text.files, right: true },
            { name: text.size, right: true },
          ]}
          below={usage.producers_left_out === 0 ? null : <p class="quiet">{text.notNamed(formatCount(usage.producers_left_out))}</p>}
        >
          <LongRows label={text.tableLabel} items={usage.producers} columns={5} row={usageRow} />
        </Table>
      </Section>
    </>
  );
}

function usageRow(row: UsageRow, place: { readonly 'aria-rowindex'?: number }) {
  return (
    <Row {...place}>
      <td class="wide">{row.producer}</td>
      <td class="wide-some">{row.retention_class}</td>
      <td class="right">
        <Count value={row.packages} />
      </td>
      <td class="right">
        <Count value={row.files} />
      </td>
      <td class="right">
        <Size bytes={row.bytes} />
      </td>
    </Row>
  );
}

function LeftOut({ bars: { leftOut }, measure }: { readonly bars: Bars; readonly measure: Measure }) {
  if (leftOut.count === 0) return null;
  return <p class="quiet">{text.leftOut(leftOut.count, formatCount(leftOut.count), formatMeasure(leftOut.value, measure))}</p>;
}

/** Everybody whose packages one may read, with their quotas. `alone` where the numbers of all are not shown. */
function Producers({ alone }: { readonly alone: boolean }) {
  const pages = usePages<ProducerRecord>('producers', (cursor, signal) =>
    callJson<ListPage<ProducerRecord>>('producers', { query: { limit: 200, cursor }, signal }),
  );
  const shown = alone
    ? pages.items
    : pages.items.filter(({ maximum_bytes, maximum_packages }) => maximum_bytes !== null || maximum_packages !== null);
  if (shown.length === 0 && !pages.more && !alone && pages.problem === undefined) return null;
  return (
    <Section title={alone ? text.own : text.quotas}>
      {shown.length > 0 || pages.more ? (
        <>
          <Table
            label={text.quotasLabel}
            columns={[
              text.producer,
              { name: text.packages, right: true },
              { name: text.quotaPackages, right: true },
              { name: text.size, right: true },
              { name: text.quotaBytes, right: true },
            ]}
          >
            {shown.map((each) => (
              <Row key={each.producer}>
                <td class="wide">
                  <a href={`packages?${new URLSearchParams({ producer: each.producer })}`}>{each.producer}</a>
                  <Share of={each} />
                </td>
                <td class="right">
                  <Count value={each.packages} />
                </td>
                <td class="right">
                  {each.maximum_packages === null ? <span class="quiet">{text.noBound}</span> : <Count value={each.maximum_packages} />}
                </td>
                <td class="right">
                  <Size bytes={each.bytes} />
                </td>
                <td class="right">
                  {each.maximum_bytes === null ? <span class="quiet">{text.noBound}</span> : <Size bytes={each.maximum_bytes} />}
                </td>
              </Row>
            ))}
          </Table>
          <More pages={pages} />
        </>
      ) : pages.problem !== undefined ? (
        <Failure problem={pages.problem} retry={pages.reload} />
      ) : pages.loading ? (
        <Loading rows={4} />
      ) : (
        <Empty title={text.emptyTitle}>{text.emptyDetail}</Empty>
      )}
    </Section>
  );
}

/** Of the fuller of both quotas. */
function Share({ of: { packages, bytes, maximum_packages, maximum_bytes } }: { readonly of: ProducerRecord }) {
  const share = (used: number, most: number | null): number => (most === null ? 0 : most === 0 ? 1 : Math.min(1, used / most));
  if (maximum_packages === null && maximum_bytes === null) return null;
  const [ofPackages, ofBytes] = [share(packages, maximum_packages), share(bytes, maximum_bytes)];
  const fuller = Math.max(ofPackages, ofBytes);
  const shown = `${Math.round(fuller * 100)} %`;
  return (
    <span class="second">
      <meter class="share" min={0} max={1} value={fuller} aria-hidden="true" />
      {ofPackages > ofBytes ? text.usedPackages(shown) : text.usedBytes(shown)}
    </span>
  );
}
