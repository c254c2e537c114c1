import { callJson, segments } from '../api/call.ts';
import { eventsOfTypes, sequenceBefore } from '../api/events-of-types.ts';
import { Problem } from '../api/problem.ts';
import type { Package, Usage } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { formatBytes, formatCount } from '../format.ts';
import { LocalCommand } from '../parts/local-command.tsx';
import { PackageTable } from '../parts/package-table.tsx';
import { Facts, Section } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { Time } from '../parts/values.tsx';
import { storage as text } from '../strings/storage.ts';
import { duePackages, dueTypes } from './due.ts';

const shownPackages = 20;

export function NextCollection({ usage }: { readonly usage: Usage }) {
  const { backends, reclaimable_packages: packages, last_sweep, last_collection, last_backup } = usage;
  const sum = (of: (backend: Usage['backends'][number]) => number): number => backends.reduce((before, each) => before + of(each), 0);
  const objects = sum(({ reclaimable_objects }) => reclaimable_objects);
  const dead = sum(({ dead_objects }) => dead_objects);
  return (
    <Section title={text.collection}>
      <p class="quiet">{text.collectionLead}</p>
      <dl class="figures">
        <div class="figure">
          <dt>{text.packages}</dt>
          <dd>{formatCount(packages)}</dd>
        </div>
        <div class="figure">
          <dt>{text.frees}</dt>
          <dd>
            {formatBytes(sum(({ reclaimable_bytes }) => reclaimable_bytes))}
            <span class="figure-more">{text.objects(objects, formatCount(objects))}</span>
          </dd>
        </div>
        <div class="figure">
          <dt>{text.dead}</dt>
          <dd>{formatCount(dead)}</dd>
        </div>
      </dl>
      <Facts
        items={[
          [text.sweep, <Run key="s" of={last_sweep} />],
          [text.run, <Run key="c" of={last_collection} />],
          [text.backup, <Run key="b" of={last_backup} />],
        ]}
      />
      <p class="quiet">{text.when}</p>
      <Due usage={usage} />
      <LocalCommand command={['retention', 'gc', '--dry-run']} label={text.plan} />
    </Section>
  );
}

function Run({ of }: { readonly of: Usage['last_sweep'] }) {
  return of === null ? <span class="quiet">{text.notYet}</span> : <Time at={of.finished_at} />;
}

function Due({ usage: { last_sequence, last_collection } }: { readonly usage: Usage }) {
  const due = useResource(`due ${last_collection?.started_at}`, async (signal) => {
    // What a collection left was not marked any more, so marks from before it are not looked for.
    const since = last_collection === null ? 0 : await sequenceBefore(last_collection.started_at, last_sequence, signal);
    const ids = duePackages((await eventsOfTypes(dueTypes, since, signal)).items);
    const shown = await Promise.all(ids.slice(0, shownPackages).map((id) => packageOf(id, signal)));
    return { count: ids.length, packages: shown.filter((each) => each !== undefined) };
  });
  return (
    <Loaded of={due} rows={3}>
      {({ count, packages }) =>
        count === 0 ? (
          <Empty title={text.dueNone}>{text.dueNoneDetail}</Empty>
        ) : (
          <>
            <PackageTable packages={packages} label={text.dueLabel} />
            {count > packages.length ? <p class="quiet">{text.dueFirst(formatCount(packages.length), formatCount(count))}</p> : null}
          </>
        )
      }
    </Loaded>
  );
}

async function packageOf(id: string, signal: AbortSignal): Promise<Package | undefined> {
  try {
    return await callJson<Package>(`packages/${segments(id)}`, { signal });
  } catch (error) {
    if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 401) return undefined;
    throw error;
  }
}
