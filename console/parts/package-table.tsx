import { printable } from '../../src/kernel/format/printable.ts';
import type { Package } from '../api/records.ts';
import { strings } from '../strings.ts';
import { now } from './clock.ts';
import { LongRows } from './long-rows.tsx';
import { Status } from './status.tsx';
import { type Column, Table } from './table.tsx';
import { Count, Size, Time } from './values.tsx';

/** A hold may keep it longer: the list does not know of holds, so it says of the time alone that it has passed. */
function KeptUntil({ of: { status, expires_at } }: { readonly of: Package }) {
  if (status !== 'finalized') return <span class="quiet">–</span>;
  const hasPassed = expires_at !== null && Date.parse(expires_at) <= now.value;
  return (
    <>
      <Time at={expires_at} form="date" inList />
      {hasPassed ? <span class="second">{strings.packages.timePassed}</span> : null}
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
