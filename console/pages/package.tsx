import { useSignal } from '@preact/signals';
import { printable } from '../../src/kernel/format/printable.ts';
import { callJson, segments } from '../api/call.ts';
import { damagedPaths } from '../api/damaged-files.ts';
import type { Package, RetentionRecord } from '../api/records.ts';
import { damageFound } from '../api/refresh.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { byHandOf } from '../package/by-hand-of.ts';
import { type Damaged, DamagedFiles } from '../package/damaged-files.tsx';
import { Events, useEvents } from '../package/events.tsx';
import { Files } from '../package/files.tsx';
import { Manifest } from '../package/manifest.tsx';
import { Retention, useRetention } from '../package/retention.tsx';
import { ActInDialog, type Acting, Notice, useActing } from '../parts/acts/acting.tsx';
import { PackageActs } from '../parts/acts/package-acts.tsx';
import { PullCommand } from '../parts/acts/pull-command.tsx';
import { ByHand } from '../parts/by-hand.tsx';
import { DownloadButton } from '../parts/download-button.tsx';
import { PackagesLink } from '../parts/packages-link.tsx';
import { Facts, Page, Section } from '../parts/page.tsx';
import { Loaded } from '../parts/states.tsx';
import { Status } from '../parts/status.tsx';
import { Address, Count, Size, Time } from '../parts/values.tsx';
import type { PageProps } from '../routes.ts';
import { strings } from '../strings.ts';
import { AddFiles } from '../upload/add-files.tsx';

const text = strings.package;

export default function PackagePage({ parameters: { id = '' } }: PageProps) {
  const found = useResource(id, (signal) => callJson<Package>(`packages/${segments(id)}`, { signal }));
  const retention = useRetention(id);
  const acting = useActing();
  const { value } = found;
  return (
    <Page
      title={value?.name ?? text.title}
      above={<PackagesLink />}
      beside={
        value === undefined ? null : (
          <>
            <Status status={value.status} />
            {value.status === 'finalized' ? (
              <DownloadButton
                path={`packages/${segments(id)}/archive`}
                name={`${value.id}.tar`}
                label={text.archive}
                whyBroken={(signal) => whyArchiveBroke(id, signal)}
              />
            ) : null}
            <PackageActs record={value} retention={retention.value} acting={acting} />
          </>
        )
      }
    >
      <Notice acting={acting} />
      <Loaded of={found} rows={8}>
        {(record) => <Shown record={record} retention={retention} acting={acting} />}
      </Loaded>
      <ByHand {...byHandOf(id, value)} />
      {value === undefined ? null : <ActInDialog record={value} retention={retention.value} acting={acting} />}
    </Page>
  );
}

async function whyArchiveBroke(id: string, signal: AbortSignal): Promise<string | undefined> {
  const paths = await damagedPaths(id, signal);
  const [first] = paths;
  if (first === undefined) return undefined;
  damageFound.value += 1;
  return strings.download.damagedIn(paths.length, printable(first));
}

function Shown({
  record,
  retention,
  acting,
}: {
  readonly record: Package;
  readonly retention: Resource<RetentionRecord>;
  readonly acting: Acting;
}) {
  const events = useEvents(record.id, 0);
  const sealedBy = events.value?.items.find(({ event_type }) => event_type === 'v1.package.finalized')?.actor;
  const damaged = useSignal<Damaged | undefined>(undefined);
  const none = <span class="quiet">–</span>;
  return (
    <>
      {record.file_count === 0 ? null : (
        <a class="skip" href="#files">
          {text.skipToFiles}
        </a>
      )}
      {damaged.value === undefined ? null : <DamagedFiles packageId={record.id} {...damaged.value} />}
      <Facts
        items={[
          [text.producer, <ListLink key="p" filter={{ producer: record.producer }} name={record.producer} />],
          [text.subject, <ListLink key="s" filter={{ subject: record.subject }} name={record.subject} />],
          [text.retentionClass, <ListLink key="c" filter={{ retention_class: record.retention_class }} name={record.retention_class} />],
          [
            text.created,
            <span key="t">
              <Time at={record.created_at} /> <span class="quiet">{text.createdBy(record.created_by)}</span>
            </span>,
          ],
          [text.sealed, record.finalized_at === null ? none : <Time key="f" at={record.finalized_at} />],
          [text.files, <Count key="n" value={record.file_count} />],
          [text.size, <Size key="b" bytes={record.total_bytes} />],
          [text.id, <Address key="i" text={record.id} what={text.id} whole />],
          [
            text.manifest,
            record.manifest_digest === null ? (
              <span class="quiet">{text.notSealed}</span>
            ) : (
              <Address text={record.manifest_digest} what={text.manifest} />
            ),
          ],
        ]}
      />
      {record.status === 'finalized' ? <PullCommand record={record} /> : null}
      <AddFiles record={record} />
      <Retention record={record} retention={retention} sealedBy={sealedBy} acting={acting} />
      <Files
        key={record.file_count}
        record={record}
        onDamaged={(found) => {
          damaged.value = found;
        }}
      />
      <Section title={text.metadata}>
        <Metadata record={record} />
      </Section>
      {record.manifest_digest === null ? null : <Manifest record={record} digest={record.manifest_digest} />}
      <Events record={record} first={events} />
    </>
  );
}

function ListLink({ filter, name }: { readonly filter: Readonly<Record<string, string>>; readonly name: string }) {
  return <a href={`packages?${new URLSearchParams(filter)}`}>{name}</a>;
}

function Metadata({ record: { metadata, metadata_schema_slug: schema } }: { readonly record: Package }) {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return <p class="quiet">{text.noMetadata}</p>;
  return (
    <Facts
      items={[
        ...entries.map(
          ([key, value]) => [key, typeof value === 'string' ? value : <code key={key}>{JSON.stringify(value)}</code>] as const,
        ),
        ...(schema === null ? [] : [[text.schema, <code key="schema">{schema}</code>] as const]),
      ]}
    />
  );
}
