import { useSignal } from '@preact/signals';
import { printable } from '../../src/kernel/format/printable.ts';
import { call, callJson, segments } from '../api/call.ts';
import { usePages } from '../api/pages.ts';
import type { Page, Upload } from '../api/records.ts';
import { formatBytes } from '../format.ts';
import { ActDialog } from '../parts/acts/act-dialog.tsx';
import { announce } from '../parts/announce.tsx';
import { LocalCommand } from '../parts/local-command.tsx';
import { Listed } from '../parts/more.tsx';
import { Section } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Address, Size, Time } from '../parts/values.tsx';
import { may } from '../session.ts';
import { uploads as text } from '../strings/uploads.ts';

/** Open uploads: to ask for the list interrupts none of them, so it is the list alone that is asked for. */
export function ListedUploads() {
  const pages = usePages<Upload>('uploads', (cursor, signal) =>
    callJson<Page<Upload>>('uploads', { query: { limit: 50, cursor }, signal }),
  );
  const asked = useSignal<Upload | undefined>(undefined);
  return (
    <Section title={text.listed}>
      <Listed pages={pages} rows={3} empty={<Empty title={text.none} />}>
        {(items) => (
          <Table
            label={text.listed}
            columns={[text.goesTo, { name: text.there, right: true }, text.who, text.begun, text.lastByte, text.expires, text.act]}
          >
            {items.map((upload) => (
              <Row key={upload.id}>
                <td class="wide path">
                  <Target upload={upload} />
                  <span class="second">
                    <Address text={upload.id} what={text.uploadId} />
                  </span>
                </td>
                <td class="right">
                  <Size bytes={upload.offset_bytes} />
                  {upload.size_bytes === null ? null : <span class="second">{text.ofAll(formatBytes(upload.size_bytes))}</span>}
                </td>
                <td>{upload.created_by}</td>
                <td>
                  <Time at={upload.created_at} />
                </td>
                <td>
                  <Time at={upload.updated_at} />
                </td>
                <td>
                  <Time at={upload.expires_at} />
                </td>
                <td>
                  <button
                    type="button"
                    class="button button-quiet"
                    aria-label={text.abandonWhat(upload.id)}
                    onClick={() => {
                      asked.value = upload;
                    }}
                  >
                    {text.abandon}
                  </button>
                </td>
              </Row>
            ))}
          </Table>
        )}
      </Listed>
      <p class="quiet">{may('administer') ? text.ofEverybody : text.ofYours}</p>
      <LocalCommand command={['uploads', 'list']} label={text.list} />
      {asked.value === undefined ? null : (
        <Abandon
          upload={asked.value}
          done={pages.reload}
          close={() => {
            asked.value = undefined;
          }}
        />
      )}
    </Section>
  );
}

function Target({ upload: { package_id, relative_path } }: { readonly upload: Upload }) {
  if (package_id === null || relative_path === null) return <span class="quiet">{text.unnamed}</span>;
  return <a href={`packages/${segments(package_id)}`}>{printable(relative_path)}</a>;
}

function Abandon({ upload, done, close }: { readonly upload: Upload; done(): void; close(): void }) {
  const path = `uploads/${segments(upload.id)}`;
  return (
    <ActDialog
      title={text.abandonTitle}
      explain={[text.abandonExplain(formatBytes(upload.offset_bytes), upload.created_by), text.noUndo]}
      submit={text.abandonSubmit}
      running={text.abandoning}
      final
      byHand={{ request: { method: 'DELETE', path } }}
      act={async (signal) => {
        await call(path, { method: 'DELETE', signal });
        announce(text.abandoned);
        done();
      }}
      close={close}
    >
      {() => <LocalCommand command={['uploads', 'abandon', upload.id]} label={text.onServer} />}
    </ActDialog>
  );
}
