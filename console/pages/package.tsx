import { callJson, segments } from '../api/call.ts';
import { usePages } from '../api/pages.ts';
import type { File, Page as ListPage, Package } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { ByHand } from '../parts/by-hand.tsx';
import { More } from '../parts/more.tsx';
import { Facts, Page, Section } from '../parts/page.tsx';
import { Empty, Failure, Loaded, Loading } from '../parts/states.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { Address, Count, Size, Time } from '../parts/values.tsx';
import type { PageProps } from '../routes.ts';
import { strings } from '../strings.ts';

const text = strings.package;

export default function PackagePage({ parameters: { id = '' } }: PageProps) {
  const found = useResource(id, (signal) => callJson<Package>(`packages/${segments(id)}`, { signal }));
  const { value } = found;
  return (
    <Page
      title={value?.name ?? text.title}
      above={<a href="packages">{strings.packages.title}</a>}
      beside={value === undefined ? null : <Status status={value.status} />}
    >
      <Loaded of={found} rows={8}>
        {(each) => <Shown record={each} />}
      </Loaded>
      <ByHand command={['packages', 'show', id]} request={{ path: `packages/${segments(id)}` }} />
    </Page>
  );
}

function Shown({ record }: { readonly record: Package }) {
  return (
    <>
      <Facts
        items={[
          [
            text.producer,
            <a key="p" href={`packages?${new URLSearchParams({ producer: record.producer })}`}>
              {record.producer}
            </a>,
          ],
          [
            text.subject,
            <a key="s" href={`packages?${new URLSearchParams({ subject: record.subject })}`}>
              {record.subject}
            </a>,
          ],
          [text.retentionClass, record.retention_class],
          [text.keptUntil, <Time key="k" at={record.expires_at} form="date" />],
          [
            text.created,
            <>
              <Time at={record.created_at} /> {text.createdBy(record.created_by)}
            </>,
          ],
          [text.sealed, record.finalized_at === null ? <span class="quiet">–</span> : <Time at={record.finalized_at} />],
          [text.files, <Count key="f" value={record.file_count} />],
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
      <Section title={text.metadata}>
        <Metadata record={record} />
      </Section>
      <Section title={text.files}>
        <Files id={record.id} />
      </Section>
    </>
  );
}

function Metadata({ record: { metadata } }: { readonly record: Package }) {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return <p class="quiet">{text.noMetadata}</p>;
  return (
    <Facts
      items={entries.map(([key, value]) => [key, typeof value === 'string' ? value : <code key={key}>{JSON.stringify(value)}</code>])}
    />
  );
}

function Files({ id }: { readonly id: string }) {
  const pages = usePages<File>(id, (cursor, signal) =>
    callJson<ListPage<File>>(`packages/${segments(id)}/files`, { query: { limit: 200, cursor }, signal }),
  );
  if (pages.items.length === 0)
    return pages.problem !== undefined ? (
      <Failure problem={pages.problem} retry={pages.reload} />
    ) : pages.loading ? (
      <Loading rows={6} />
    ) : (
      <Empty title={text.noFiles} />
    );
  return (
    <>
      <Table label={text.filesLabel} columns={[text.path, text.mediaType, { name: text.bytes, right: true }, text.digest]}>
        {pages.items.map((file) => (
          <tr key={file.id}>
            <td class="wide path">{file.relative_path}</td>
            <td>{file.media_type}</td>
            <td class="right">
              <Size bytes={file.size_bytes} />
            </td>
            <td>
              <Address text={file.digest_sha256} what={text.digest} />
            </td>
          </tr>
        ))}
      </Table>
      <More pages={pages} />
    </>
  );
}
