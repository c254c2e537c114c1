import { printable } from '../../src/kernel/format/printable.ts';
import { addressesIn } from '../api/addresses.ts';
import { callJson } from '../api/call.ts';
import type { Package, Page } from '../api/records.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/values.tsx';
import { withQuery } from '../router.ts';
import { events as text } from '../strings/events.ts';

/** The log names packages by their ids: so many are offered where several have one name. */
const offered = 20;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether what was typed may be the name of a package. `kind` is empty where any will do. */
export function mayBeName(typed: string, kind: string): boolean {
  return typed !== '' && (kind === '' || kind === 'package') && !uuid.test(typed) && addressesIn(typed).length === 0;
}

/** The packages that are called so, newest first; none where it cannot be a name. */
export function usePackagesCalled(typed: string, kind: string): Resource<Page<Package>> {
  const isName = mayBeName(typed, kind);
  return useResource(`called ${isName ? typed : ''}`, async (signal) =>
    isName
      ? await callJson<Page<Package>>('packages', { query: { name: typed, limit: offered }, signal })
      : { items: [], next_cursor: null },
  );
}

/** Whose events are shown, where a name was typed; or the packages to choose from. */
export function Called({ called, chosen }: { readonly called: Page<Package>; readonly chosen: Package | undefined }) {
  const { items, next_cursor } = called;
  if (items.length === 0) return <p class="quiet">{text.calledNone}</p>;
  if (chosen !== undefined)
    return (
      <p>
        {text.ofPackage} <a href={`packages/${chosen.id}`}>{printable(chosen.name)}</a>.
      </p>
    );
  return (
    <section class="called" aria-label={text.choose}>
      <p>{next_cursor === null ? text.called(items.length, formatCount(items.length)) : text.calledMore(formatCount(items.length))}</p>
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
