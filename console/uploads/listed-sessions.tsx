import { useSignal } from '@preact/signals';
import { printable } from '../../src/kernel/format/printable.ts';
import { call, callJson, segments } from '../api/call.ts';
import { usePages } from '../api/pages.ts';
import type { ListedWriteSession, Page } from '../api/records.ts';
import { formatCount } from '../format.ts';
import { ActDialog } from '../parts/acts/act-dialog.tsx';
import { announce } from '../parts/announce.tsx';
import { Listed } from '../parts/more.tsx';
import { Section } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Size, Time } from '../parts/values.tsx';
import { may } from '../session.ts';
import { uploads as text } from '../strings/uploads.ts';

/** Write sessions that have not ended, of producers that one may write to. */
export function ListedSessions() {
  const pages = usePages<ListedWriteSession>('write-sessions', (cursor, signal) =>
    callJson<Page<ListedWriteSession>>('write-sessions', { query: { limit: 50, cursor }, signal }),
  );
  const asked = useSignal<ListedWriteSession | undefined>(undefined);
  return (
    <Section title={text.listedSessions}>
      <Listed pages={pages} rows={3} empty={<Empty title={text.noSessions} />}>
        {(items) => (
          <Table
            label={text.listedSessions}
            columns={[
              text.namespace,
              text.producer,
              text.state,
              { name: text.objects, right: true },
              { name: text.size, right: true },
              text.who,
              text.created,
              text.expires,
              text.act,
            ]}
          >
            {items.map((session) => (
              <Row key={session.id}>
                <td class="wide">
                  <a href={`uploads?${new URLSearchParams({ session: session.id })}`}>{printable(session.namespace)}</a>
                </td>
                <td>{session.producer}</td>
                <td>{text.states[session.state]}</td>
                <td class="right">{formatCount(session.object_count)}</td>
                <td class="right">
                  <Size bytes={session.total_bytes} />
                </td>
                <td>{session.created_by}</td>
                <td>
                  <Time at={session.created_at} />
                </td>
                <td>
                  <Time at={session.expires_at} />
                </td>
                <td>
                  {may('write', session.producer) ? (
                    <button
                      type="button"
                      class="button button-quiet"
                      aria-label={text.abortWhat(session.id)}
                      onClick={() => {
                        asked.value = session;
                      }}
                    >
                      {text.abort}
                    </button>
                  ) : null}
                </td>
              </Row>
            ))}
          </Table>
        )}
      </Listed>
      {asked.value === undefined ? null : (
        <Abort
          session={asked.value}
          done={pages.reload}
          close={() => {
            asked.value = undefined;
          }}
        />
      )}
    </Section>
  );
}

function Abort({ session, done, close }: { readonly session: ListedWriteSession; done(): void; close(): void }) {
  const path = `write-sessions/${segments(session.id)}`;
  return (
    <ActDialog
      title={text.abortTitle}
      explain={[text.abortExplain(session.namespace, session.producer), text.noUndo]}
      submit={text.abortSubmit}
      running={text.aborting}
      final
      byHand={{ request: { method: 'DELETE', path } }}
      act={async (signal) => {
        await call(path, { method: 'DELETE', signal });
        announce(text.aborted);
        done();
      }}
      close={close}
    />
  );
}
