import { printable } from '../../src/kernel/format/printable.ts';
import type { Package } from '../api/records.ts';
import { formatCount } from '../format.ts';
import { strings } from '../strings.ts';
import { now } from './clock.ts';
import { LongRows } from './long-rows.tsx';
import { Status } from './status.tsx';
import { type Column, Table } from './table.tsx';
import { Count, Size, Time } from './values.tsx';

/** A time that has passed says nothing of a package that is held: both are told. */
function KeptUntil({ of: { status, expires_at, hold_count: holds } }: { readonly of: Package }) {
  const isSealed = status === 'finalized';
  const hasPassed = isSealed && expires_at !== null && Date.parse(expires_at) <= now.value;
  return (
    <>
      {isSealed ? <Time at={expires_at} form="date" inList /> : holds > 0 ? null : <span class="quiet">–</span>}
      {hasPassed ? <span class="second">{strings.packages.timePassed}</span> : null}
      {holds > 0 ? (
        <span class="held">
          {strings.packages.held}
          <span class="out-of-sight">{strings.packages.heldMeans(holds, formatCount(holds))}</span>
        </span>
      ) : null}
    </>
  );
}

export function PackageTable({ packages, label }: { readonly packages: readonly Package[]; readonly label: string }) {
  const text = strings.packages;
  const columns: readonly Column[] = [
    text.name,
    text.producer,
    text.status,
    { name: text.files, right: true },
    { name: text.size, right: true },
    text.created,
    text.keptUntil,
  ];
  return (
    <Table label={label} columns={columns} of="packages">
      <LongRows
        label={label}
        items={packages}
        columns={columns.length}
        row={(each, place) => (
          <tr {...place}>
            <td class="wide">
              <a href={`packages/${each.id}`}>{printable(each.name)}</a>
              {each.subject === each.name ? null : <span class="second">{printable(each.subject)}</span>}
            </td>
            <td class="wide-some">{each.producer}</td>
            <td>
              <Status status={each.status} />
            </td>
            <td class="right">
              <Count value={each.file_count} />
            </td>
            <td class="right">
              <Size bytes={each.total_bytes} />
            </td>
            <td>
              <Time at={each.created_at} inList />
            </td>
            <td>
              <KeptUntil of={each} />
            </td>
          </tr>
        )}
      />
    </Table>
  );
}
