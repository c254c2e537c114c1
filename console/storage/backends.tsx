import type { Health, Usage } from '../api/records.ts';
import { formatBytes, formatCount } from '../format.ts';
import { Row, Table } from '../parts/table.tsx';
import { Count, Size, Time } from '../parts/values.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { storage as text } from '../strings/storage.ts';

type Backend = Health['backends'][number];

/** Where bytes can be. `usage` is undefined where it is not known, or not shown. */
export function Backends({ health, usage }: { readonly health: Health; readonly usage: Usage | undefined }) {
  return (
    <Table
      label={text.backendsLabel}
      columns={[
        text.backend,
        text.state,
        { name: text.stored, right: true },
        { name: text.room, right: true },
        { name: text.bad, right: true },
        text.verified,
      ]}
    >
      {health.backends.map((each) => {
        const used = usage?.backends.find(({ backend_id }) => backend_id === each.backend_id);
        return (
          <Row key={each.backend_id}>
            <td class="wide-some">
              {each.backend_id}
              {each.backend_id === health.backend.backend_id ? <span class="second">{text.default}</span> : null}
            </td>
            <td class="wide">
              <State of={each} />
            </td>
            <td class="right">
              {used === undefined ? (
                <span class="quiet">–</span>
              ) : (
                <>
                  <Size bytes={used.stored_bytes} />
                  <span class="second">{text.objects(used.stored_objects, formatCount(used.stored_objects))}</span>
                </>
              )}
            </td>
            <td class="right">
              <Room of={each} />
            </td>
            <td class="right">
              {each.failed_locations === 0 ? <Count value={0} /> : <Verdict of="bad" text={formatCount(each.failed_locations)} />}
            </td>
            <td>
              {used?.last_verification == null ? (
                <span class="quiet">{used === undefined ? '–' : text.notYet}</span>
              ) : (
                <Time at={used.last_verification.finished_at} />
              )}
            </td>
          </Row>
        );
      })}
    </Table>
  );
}

function State({
  of: { failed_locations: failed, healthy, full, detail, keys_unread_seconds: unread, held_objects: held },
}: {
  readonly of: Backend;
}) {
  return (
    <>
      <Verdict
        of={healthy ? (failed === 0 ? 'good' : 'part') : full === true ? 'part' : 'bad'}
        text={healthy ? (failed === 0 ? text.works : text.worksInPart) : full === true ? text.full : text.unavailable}
      />
      {healthy || detail === '' ? null : <span class="second">{detail}</span>}
      {unread === undefined ? null : <span class="second">{text.keysUnread(formatCount(Math.ceil(unread / 60)))}</span>}
      {held === null || held === 0 ? null : <span class="second">{text.held(held, formatCount(held))}</span>}
    </>
  );
}

function Room({ of: { free_bytes: free, total_bytes: total } }: { readonly of: Backend }) {
  if (free === null) return <span class="quiet">{text.roomUnknown}</span>;
  return (
    <>
      <Size bytes={free} />
      {total === null ? null : (
        <>
          <span class="second">{text.roomOf(formatBytes(total), `${Math.round((1 - free / total) * 100)} %`)}</span>
          <meter class="share" min={0} max={total} value={total - free} aria-hidden="true" />
        </>
      )}
    </>
  );
}
