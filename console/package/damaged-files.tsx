import { printable } from '../../src/kernel/format/printable.ts';
import { segments } from '../api/call.ts';
import { formatCount } from '../format.ts';
import { DamageNotice } from '../parts/damage-notice.tsx';
import { strings } from '../strings.ts';

const text = strings.package;

/** So many are named above the package; all of them are marked in its list. */
export const namedFiles = 5;

/** Files of a package that are damaged or missing: how many, and the paths of the first. */
export interface Damaged {
  readonly count: number;
  readonly first: readonly string[];
}

export function fileAddress(packageId: string, path: string): string {
  return `packages/${packageId}/files/${segments(...path.split('/'))}`;
}

export function DamagedFiles({ packageId, count, first }: Damaged & { readonly packageId: string }) {
  return (
    <DamageNotice title={text.damagedTitle(count, formatCount(count))}>
      <ul>
        {first.map((path) => (
          <li key={path}>
            <a class="path" href={fileAddress(packageId, path)}>
              {printable(path)}
            </a>
          </li>
        ))}
        {count > first.length ? <li>{text.damagedMore(formatCount(count - first.length))}</li> : null}
      </ul>
    </DamageNotice>
  );
}
