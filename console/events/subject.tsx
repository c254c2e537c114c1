import { printable } from '../../src/kernel/format/printable.ts';
import { addressesIn } from '../api/addresses.ts';
import { callJson } from '../api/call.ts';
import { isId, mayBeName } from '../api/look-up.ts';
import type { Package, Page } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/values.tsx';
import { withQuery } from '../router.ts';
import { events as text } from '../strings/events.ts';

/** The log names packages by their ids: so many are offered where several have one name. */
const offered = 20;

/** Whether packages are asked for by what was typed. `kind` is empty where any will do. */
export function isAskedAsName(typed: string, kind: string): boolean {
  return (kind === '' || kind === 'package') && mayBeName(typed);
}

/** Whether the log may name something by what was typed, which a package may be called as well. */
export function looksLikeId(typed: string, kind: string): boolean {
  return isId(typed) || (kind !== 'package' && addressesIn(typed).length > 0);
}

/** The packages that are called so, newest first; none where it cannot be a name. */
export function usePackagesCalled(typed: string, kind: string): Resource<Page<Package>> {
  const isName = isAskedAsName(typed, kind);
  return useResource(`called ${isName ? typed : ''}`, async (signal) =>
    isName
      ? await callJson<Page<Package>>('packages', { query: { name: typed, limit: offered }, signal })
      : { items: [], next_cursor: null },
  );
}

/** Whose events are shown, where a name was typed; or the packages to choose from. */
export function Called({
  called: { items, next_cursor },
  chosen,
  besideId,
}: {
  readonly called: Page<Package>;
  readonly chosen: Package | undefined;
  /** Whether the events of what has it as its id are shown below. */
  readonly besideId: boolean;
}) {
  if (items.length === 0) return besideId ? null : <p class="quiet">{text.calledNone}</p>;
  if (chosen !== undefined)
    return (
      <p>
        {text.ofPackage} <a href={`packages/${chosen.id}`}>{printable(chosen.name)}</a>.
      </p>
    );
  return (
    <section class="called" aria-label={text.choose}>
      <p>
        {besideId
          ? text.calledToo(items.length, formatCount(items.length), next_cursor !== null)
          : next_cursor === null
            ? text.called(formatCount(items.length))
            : text.calledMore(formatCount(items.length))}
      </p>
      <ul>
        {items.map((each) => (
          <li key={each.id}>
            <a href={withQuery({ subject_kind: 'package', subject_id: each.id })}>
              {printable(each.name)} · {each.producer} · <code>{each.id}</code>
            </a>{' '}
            <Status status={each.status} /> <Time at={each.created_at} />
          </li>
        ))}
      </ul>
    </section>
  );
}
