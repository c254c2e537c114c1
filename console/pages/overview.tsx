import { callJson } from '../api/call.ts';
import type { Health, Page as ListPage, Package, Usage } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { formatBytes, formatCount } from '../format.ts';
import { HealthLine } from '../overview/health-line.tsx';
import { ByHand } from '../parts/by-hand.tsx';
import { serverNow } from '../parts/clock.ts';
import { PackageTable } from '../parts/package-table.tsx';
import { Facts, Page, Section } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { Time } from '../parts/values.tsx';
import { may } from '../session.ts';
import { strings } from '../strings.ts';
import { barsOf } from '../usage/groups.ts';
import { Plot } from '../usage/plot.tsx';

const text = strings.overview;
const shownPackages = 8;
const shownProducers = 8;

export default function Overview() {
  const health = useResource('health', (signal) => callJson<Health>('health', { signal }));
  const latest = useResource('latest', (signal) => callJson<ListPage<Package>>('packages', { query: { limit: shownPackages }, signal }));
  const observes = may('observe');
  return (
    <Page title={text.title}>
      {observes ? (
        <Observed health={health} />
      ) : (
        <Loaded of={health} rows={1}>
          {(value) => <HealthLine health={value} usage={undefined} />}
        </Loaded>
      )}
      <Section title={text.latest} beside={<a href="packages">{text.allPackages}</a>}>
        <Loaded of={latest} rows={shownPackages}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title={text.emptyTitle}>{text.emptyDetail}</Empty>
            ) : (
              <PackageTable packages={items} label={text.latest} />
            )
          }
        </Loaded>
      </Section>
      <Leaving />
      <ByHand
        what={observes ? strings.navigation.usage : text.latest}
        command={observes ? ['usage'] : ['packages', 'list']}
        request={{ path: observes ? 'usage' : 'packages' }}
        also={[
          {
            what: text.leaving,
            command: ['retention', 'expiring', '--until', inAWeek()],
            request: { path: 'expiring-packages', query: { until: inAWeek() } },
          },
        ]}
      />
    </Page>
  );
}

/** By the server's clock, to the hour: so it stays as it is while the page is read. */
function inAWeek(): string {
  return new Date((Math.floor(serverNow() / hour) + 7 * 24) * hour).toISOString();
}

function Leaving() {
  const until = inAWeek();
  const leaving = useResource(`leaving ${until}`, (signal) =>
    callJson<ListPage<Package>>('expiring-packages', { query: { until, limit: shownPackages }, signal }),
  );
  return (
    <Section title={text.leaving}>
      <Loaded of={leaving} rows={2}>
        {({ items, next_cursor }) =>
          items.length === 0 ? (
            <p class="quiet">{text.nothingLeaves}</p>
          ) : (
            <>
              <PackageTable packages={items} label={text.leaving} />
              {next_cursor === null ? null : <p class="quiet">{text.moreLeave(formatCount(items.length))}</p>}
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

const hour = 3_600_000;

function Observed({ health }: { readonly health: Resource<Health> }) {
  const usage = useResource('usage', (signal) => callJson<Usage>('usage', { signal }));
  return (
    <>
      <Loaded of={health} rows={1}>
        {(value) => <HealthLine health={value} usage={usage} />}
      </Loaded>
      <UsageParts usage={usage} />
    </>
  );
}

function UsageParts({ usage }: { readonly usage: Resource<Usage> }) {
  return (
    <Loaded of={usage} rows={4}>
      {(value) => (
        <>
          <Figures usage={value} />
          <div class="columns">
            <Section title={text.byProducer} beside={<a href="usage">{strings.navigation.usage}</a>}>
              <Producers usage={value} />
            </Section>
            <Section title={text.lastRuns}>
              <Facts
                items={[
                  [text.sweep, <LastRun key="s" run={value.last_sweep} />],
                  [text.collection, <LastRun key="c" run={value.last_collection} />],
                  ...value.backends.map(
                    ({ backend_id, last_verification }) =>
                      [`${text.verification} · ${backend_id}`, <LastRun key={backend_id} run={last_verification} />] as const,
                  ),
                  [text.backup, <LastRun key="b" run={value.last_backup} />],
                ]}
              />
            </Section>
          </div>
        </>
      )}
    </Loaded>
  );
}

function Figures({ usage }: { readonly usage: Usage }) {
  const { finalized, created } = usage.packages;
  const stored = usage.backends.reduce((sum, { stored_bytes }) => sum + stored_bytes, 0);
  const reclaimable = usage.backends.reduce((sum, { reclaimable_bytes }) => sum + reclaimable_bytes, 0);
  const figures = [
    [
      text.sealed,
      formatCount(finalized.packages),
      created.packages === 0 ? '' : `${formatCount(created.packages)} ${strings.status.created.toLowerCase()}`,
    ],
    [text.files, formatCount(finalized.files + created.files), ''],
    [text.bytes, formatBytes(stored), ''],
    [
      text.reclaimable,
      formatBytes(reclaimable),
      text.reclaimablePackages(usage.reclaimable_packages, formatCount(usage.reclaimable_packages)),
    ],
  ] as const;
  return (
    <dl class="figures">
      {figures.map(([name, value, more]) => (
        <div key={name} class="figure">
          <dt>{name}</dt>
          <dd>
            {value}
            {more === '' ? null : <span class="figure-more">{more}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Producers({ usage }: { readonly usage: Usage }) {
  const bars = barsOf(usage.producers, 'bytes', 'producer', shownProducers);
  const leftOut = bars.leftOut.count + usage.producers_left_out;
  if (bars.bars.length === 0) return <p class="quiet">{text.emptyTitle}</p>;
  return (
    <>
      <Plot bars={bars} measure="bytes" link={(producer) => `packages?${new URLSearchParams({ producer })}`} />
      {leftOut === 0 ? null : <p class="quiet">{text.leftOut(formatCount(leftOut))}</p>}
    </>
  );
}

function LastRun({ run }: { readonly run: Usage['last_sweep'] }) {
  return run === null ? <span class="quiet">{text.notYet}</span> : <Time at={run.finished_at} />;
}
