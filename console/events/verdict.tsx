import type { ComponentChildren } from 'preact';
import { formatCount } from '../format.ts';
import { Icon } from '../parts/icon.tsx';
import { Address } from '../parts/values.tsx';
import { events as text } from '../strings/events.ts';
import type { FeedView } from './feed.ts';

/** What the chain says of what was read so far. */
export function FeedVerdict({ view, isFiltered }: { readonly view: FeedView; readonly isFiltered: boolean }) {
  const { fault, taken, followed, head } = view;
  if (fault !== undefined)
    return (
      <Said kind="bad" title={text.broken(formatCount(fault.sequence))}>
        <p>{text.linkMeaning[fault.link]}</p>
        <p>{text.brokenDetail}</p>
      </Said>
    );
  if (taken === 0) return null;
  if (head === null)
    return (
      <Said kind="part" title={text.noChain}>
        <p>{text.noChainDetail}</p>
      </Said>
    );
  if (isFiltered)
    return (
      <Said kind="part" title={text.gaps}>
        <p>{text.gapsDetail}</p>
      </Said>
    );
  return (
    <Said kind="good" title={text.intact}>
      <p>{text.follows(formatCount(followed), formatCount(taken))}</p>
      <p>
        {text.head}: <Address text={head} what={text.head} /> <span class="quiet">{text.headHint}</span>
      </p>
    </Said>
  );
}

function Said({
  kind,
  title,
  children,
}: {
  readonly kind: 'good' | 'part' | 'bad';
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div class={`verdict verdict-${kind}`} {...(kind === 'bad' ? { role: 'alert' as const } : {})}>
      <Icon name={kind === 'good' ? 'done' : kind === 'bad' ? 'warning' : 'part'} />
      <div>
        <p class="verdict-title">{title}</p>
        {children}
      </div>
    </div>
  );
}
