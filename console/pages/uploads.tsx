import { printable } from '../../src/kernel/format/printable.ts';
import { callJson, segments } from '../api/call.ts';
import type { Usage, WriteSession } from '../api/records.ts';
import { useResource } from '../api/resource.ts';
import { formatBytes, formatCount } from '../format.ts';
import { ByHand } from '../parts/by-hand.tsx';
import { Facts, Page, Section } from '../parts/page.tsx';
import { Loaded } from '../parts/states.tsx';
import { Row, Table } from '../parts/table.tsx';
import { Address, Count, Size, Time } from '../parts/values.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { navigate, place } from '../router.ts';
import { may } from '../session.ts';
import { uploads as text } from '../strings/uploads.ts';
import { ListedSessions } from '../uploads/listed-sessions.tsx';
import { ListedUploads } from '../uploads/listed-uploads.tsx';

const shownObjects = 200;

export default function Uploads() {
  const asked = place.value.query.get('session') ?? '';
  return (
    <Page title={text.title}>
      <p class="quiet">{text.lead}</p>
      {may('observe') ? <Open /> : null}
      <ListedUploads />
      <ListedSessions />
      <Section title={text.session}>
        <form
          class="filters"
          onSubmit={(event) => {
            event.preventDefault();
            const id = String(new FormData(event.currentTarget).get('session') ?? '').trim();
            navigate(id === '' ? 'uploads' : `uploads?${new URLSearchParams({ session: id })}`, { replace: true });
          }}
        >
          <label class="field field-long">
            <span>{text.id}</span>
            <input key={asked} name="session" defaultValue={asked} maxLength={64} autocomplete="off" spellcheck={false} />
          </label>
          <div class="buttons">
            <button type="submit" class="button">
              {text.look}
            </button>
          </div>
        </form>
        {asked === '' ? null : <Session key={asked} id={asked} />}
      </Section>
      <ByHand request={{ path: asked === '' ? 'uploads' : `write-sessions/${segments(asked)}` }} />
    </Page>
  );
}

function Open() {
  const usage = useResource('usage', (signal) => callJson<Usage>('usage', { signal }));
  return (
    <Section title={text.open}>
      <Loaded of={usage} rows={3}>
        {({ backends }) => (
          <Table label={text.openLabel} columns={[text.backend, { name: text.uploads, right: true }, { name: text.sessions, right: true }]}>
            {backends.map((each) => (
              <Row key={each.backend_id}>
                <td>{each.backend_id}</td>
                <td class="right">
                  <Count value={each.open_uploads} />
                  <span class="second">{text.arrived(formatBytes(each.open_upload_bytes))}</span>
                </td>
                <td class="right">
                  <Count value={each.open_write_sessions} />
                  <span class="second">{text.announced(formatBytes(each.open_write_session_bytes))}</span>
                </td>
              </Row>
            ))}
          </Table>
        )}
      </Loaded>
    </Section>
  );
}

function Session({ id }: { readonly id: string }) {
  const session = useResource(id, (signal) => callJson<WriteSession>(`write-sessions/${segments(id)}`, { signal }));
  return (
    <Loaded of={session} rows={6}>
      {(value) => <Shown session={value} />}
    </Loaded>
  );
}

function Shown({ session }: { readonly session: WriteSession }) {
  const { objects, object_count, package_id, reason } = session;
  const there = objects.filter(({ state }) => state !== 'put').length;
  return (
    <>
      <Facts
        items={[
          [text.state, text.states[session.state]],
          ...(reason === null ? [] : [[text.reason, reason] as const]),
          [text.producer, session.producer],
          [text.scope, session.scope],
          [text.namespace, session.namespace],
          [
            text.created,
            <span key="c">
              <Time at={session.created_at} /> {text.by(session.created_by)}
            </span>,
          ],
          [text.expires, <Time key="e" at={session.expires_at} />],
          [text.objects, text.received(formatCount(there), formatCount(object_count))],
          [text.size, <Size key="s" bytes={session.total_bytes} />],
          ...(package_id === null
            ? []
            : [
                [
                  text.package,
                  <a key="p" href={`packages/${package_id}`}>
                    {package_id}
                  </a>,
                ] as const,
              ]),
        ]}
      />
      {objects.length === 0 ? null : (
        <Table
          label={text.objectsLabel}
          columns={[text.name, text.state, { name: text.size, right: true }, text.digest]}
          below={
            objects.length > shownObjects ? <p class="quiet">{text.shown(formatCount(shownObjects), formatCount(objects.length))}</p> : null
          }
        >
          {objects.slice(0, shownObjects).map((object) => (
            <Row key={object.name}>
              <td class="wide path">{printable(object.name)}</td>
              <td>
                <Verdict of={object.state === 'put' ? 'part' : 'good'} text={text.objectStates[object.state]} />
              </td>
              <td class="right">
                <Size bytes={object.size_bytes} />
              </td>
              <td>
                <Address text={object.sha256} what={text.digest} />
              </td>
            </Row>
          ))}
        </Table>
      )}
    </>
  );
}
