import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { place } from '../router.ts';
import { strings } from '../strings.ts';
import { isComingBack } from '../way-back.ts';
import { isSearching } from './search-field.tsx';

/** A page: its heading takes the focus when it is opened, so that the keyboard and the reader begin there. */
export function Page({
  title,
  above,
  beside,
  children,
}: {
  readonly title: string;
  /** Small, before the heading: where this belongs. */
  readonly above?: ComponentChildren;
  /** At the other end of the heading: what can be done. */
  readonly beside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = printable(title);
  useEffect(() => {
    document.title = strings.title(shown);
  }, [shown]);
  useEffect(() => {
    if ((opened > 0 || place.peek() !== first) && !isSearching()) heading.current?.focus({ preventScroll: true });
    opened += 1;
    if (!isComingBack()) scrollTo(0, 0);
  }, []);
  return (
    <article class="page">
      <header class="page-head">
        {above === undefined ? null : <div class="page-above">{above}</div>}
        <div class="page-title">
          <h1 ref={heading} tabIndex={-1}>
            {shown}
          </h1>
          {beside === undefined ? null : <div class="page-beside">{beside}</div>}
        </div>
      </header>
      {children}
    </article>
  );
}

/** Not at the first page: there the browser decides. Who leads on before it is there does not see it. */
let opened = 0;
const first = place.peek();

export function Section({
  title,
  children,
  beside,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly beside?: ComponentChildren;
}) {
  return (
    <section class="section">
      <header class="section-head">
        <h2>{title}</h2>
        {beside}
      </header>
      {children}
    </section>
  );
}

/** Names and values; a value may be anything. */
export function Facts({ items }: { readonly items: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {items.map(([name, value]) => (
        <div key={name} class="fact">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
