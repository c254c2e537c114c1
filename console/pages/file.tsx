import { printable } from '../../src/kernel/format/printable.ts';
import type { EventType, SubjectKind } from '../../src/kernel/log/event.ts';
import { callJson, segments } from '../api/call.ts';
import { Problem } from '../api/problem.ts';
import type { File, Page as ListPage, Package } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { isDamaged } from '../damaged.ts';
import { ByHand } from '../parts/by-hand.tsx';
import { DamageNotice } from '../parts/damage-notice.tsx';
import { DownloadFile } from '../parts/download-file.tsx';
import { PackagesLink } from '../parts/packages-link.tsx';
import { Facts, Page, Section } from '../parts/page.tsx';
import { Loaded } from '../parts/states.tsx';
import { Status } from '../parts/status.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Address, Size, Time } from '../parts/values.tsx';
import { Verify } from '../parts/verify.tsx';
import { Preview } from '../preview/preview.tsx';
import type { PageProps } from '../routes.ts';
import { may } from '../session.ts';
import { DefectsOf } from '../storage/defects-of.tsx';
import { strings } from '../strings.ts';

const text = strings.file;

interface Found {
  readonly file: File;
  readonly record: Package;
}

async function find(id: string, path: string, signal: AbortSignal): Promise<Found> {
  const [record, files] = await Promise.all([
    callJson<Package>(`packages/${segments(id)}`, { signal }),
    callJson<ListPage<File>>(`packages/${segments(id)}/files`, { query: { relative_path: path }, signal }),
  ]);
  const [file] = files.items;
  if (file === undefined)
    throw new Problem({
      code: 'file_not_found',
      status: 404,
      title: strings.states.notFound.title,
      detail: strings.states.notFound.detail,
    });
  return { file, record };
}

export default function FilePage({ parameters: { id = '', '*': path = '' } }: PageProps) {
  const found = useResource(`${id} ${path}`, (signal) => find(id, path, signal));
  const { value } = found;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    <Page
      title={name === '' ? text.title : name}
      above={
        <>
          <PackagesLink /> / <a href={`packages/${segments(id)}`}>{printable(value?.record.name ?? text.package)}</a>
          {path.includes('/') ? <span class="path"> / {printable(path.slice(0, path.lastIndexOf('/')))}</span> : null}
        </>
      }
      beside={
        value === undefined ? null : (
          <>
            <Status status={value.record.status} />
            {value.record.status === 'garbage_collected' ? null : <DownloadFile file={value.file} onDamage={found.reload} />}
          </>
        )
      }
    >
      <Loaded of={found} rows={8}>
        {(each) => <Shown {...each} reload={found.reload} />}
      </Loaded>
    </Page>
  );
}

function Shown({ file, record, reload }: Found & { readonly reload: () => void }) {
  const isGone = record.status === 'garbage_collected';
  const observes = may('observe');
  return (
    <>
      {isDamaged(file) ? (
        <DamageNotice title={text.damaged}>
          <DefectsOf file={file} />
        </DamageNotice>
      ) : null}
      <Facts
        items={[
          [text.size, <Size key="s" bytes={file.size_bytes} />],
          [text.type, <code key="t">{file.media_type}</code>],
          [text.added, <Time key="a" at={file.created_at} />],
          [
            text.kept,
            <a key="k" href={`packages/${segments(record.id)}`}>
              {text.whyKept}
            </a>,
          ],
          [text.sha256, <Address key="h" text={file.digest_sha256} what={text.sha256} whole />],
          [
            text.primary(file.digest_algorithm),
            <Address key="p" text={file.digest_primary} what={text.primary(file.digest_algorithm)} whole />,
          ],
          [
            text.events,
            <span key="e">
              <EventsLink kind="file" id={file.id} name={text.eventsOfFile} />
              {observes ? (
                <>
                  {' '}
                  · <EventsLink kind="object" id={file.content_address} name={text.eventsOfBytes} />
                </>
              ) : null}
              <span class="second">{observes ? text.eventsElsewhere : text.eventsNotShown}</span>
            </span>,
          ],
        ]}
      />
      {isGone ? (
        <p class="quiet">{text.gone}</p>
      ) : (
        <>
          <Section title={text.verifyTitle}>
            <Verify packageId={record.id} manifestDigest={record.manifest_digest} file={file} />
          </Section>
          <Section title={text.preview}>
            <Preview file={file} onNews={reload} />
          </Section>
        </>
      )}
      {Object.keys(file.annotations).length === 0 ? null : (
        <Section title={text.annotations}>
          <Facts items={Object.entries(file.annotations)} />
        </Section>
      )}
      <Section
        title={text.locations}
        beside={<a href={`search?${new URLSearchParams({ q: `sha256:${file.digest_sha256}` })}`}>{text.others}</a>}
      >
        <Table label={text.locations} columns={[text.backend, text.state, text.stored, text.verified, text.events, text.key]}>
          {file.locations.map((location) => (
            <Row key={location.id}>
              <td>{location.backend_id}</td>
              <td>{text.states[location.state]}</td>
              <td>
                <Time at={location.stored_at} />
              </td>
              <td>{location.verified_at === null ? <span class="quiet">{text.notVerified}</span> : <Time at={location.verified_at} />}</td>
              <td>
                <EventsLink kind="location" id={location.id} name={text.eventsOfLocation} />
                {observes ? (
                  <span class="second">
                    <EventsLink
                      kind="backend"
                      id={location.backend_id}
                      type="v1.storage.location_verified"
                      name={text.verificationsOf(location.backend_id)}
                    />
                  </span>
                ) : null}
              </td>
              <td class="whole">
                <code>{location.object_key}</code>
              </td>
            </Row>
          ))}
        </Table>
      </Section>
      <ByHand
        command={['verify', record.id]}
        request={{ path: `packages/${segments(record.id)}/files/${segments(...file.relative_path.split('/'))}` }}
      />
    </>
  );
}

function EventsLink({
  kind,
  id,
  name,
  type,
}: {
  readonly kind: SubjectKind;
  readonly id: string;
  readonly name: string;
  /** All where absent. */
  readonly type?: EventType;
}) {
  const filter = { ...(type === undefined ? {} : { event_type: type }), subject_kind: kind, subject_id: id };
  return <a href={`events?${new URLSearchParams(filter)}`}>{name}</a>;
}
