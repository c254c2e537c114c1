import { printable } from '../../src/kernel/format/printable.ts';
import type { Package } from '../api/records.ts';
import { formatCount } from '../format.ts';
import { strings } from '../strings.ts';
import { now } from './clock.ts';
import { LongRows } from './long-rows.tsx';
import { Status } from './status.tsx';
import { type Column, cellRole, rowRole, Table } from './table.tsx';
import { Count, Size, Time } from './values.tsx';

/** A time that has passed says nothing of a package that is held: both are told. */
function KeptUntil({ of: { status, expires_at, hold_count: holds } }: { readonly of: Package }) {
  const isSealed = status === 'finalized';
  const hasPassed = isSealed && expires_at !== null && Date.parse(expires_at) <= now.value;
  return (
    <>
      {isSealed ? <Time at={expires_at} form="date" inList /> : holds > 0 ? null : <span class="quiet">–</span>}
      {hasPassed ? <span class="second"> {strings.packages.timePassed}</span> : null}{' '}
      {holds > 0 ? (
        <span class="held">
          {strings.packages.held(holds, formatCount(holds))}
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
          <tr {...rowRole} {...place}>
            <td {...cellRole} class="wide">
              <a href={`packages/${each.id}`}>{printable(each.name)}</a>
              {each.subject === each.name ? null : <span class="second">{printable(each.subject)}</span>}
            </td>
            <td {...cellRole} class="wide-some">
              {each.producer}
            </td>
            <td {...cellRole}>
              <Status status={each.status} />
            </td>
            <td {...cellRole} class="right" data-label={text.files}>
              <Count value={each.file_count} />
            </td>
            <td {...cellRole} class="right" data-label={text.size}>
              <Size bytes={each.total_bytes} inList />
            </td>
            <td {...cellRole} data-label={text.created}>
              <Time at={each.created_at} inList />
            </td>
            <td {...cellRole} data-label={text.keptUntil}>
              <KeptUntil of={each} />
            </td>
          </tr>
        )}
      />
    </Table>
  );
}
