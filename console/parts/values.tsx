import {
  formatBytes,
  formatCount,
  formatDate,
  formatExact,
  formatExactBytes,
  formatRelative,
  formatToTheSecond,
  shortAddress,
} from '../format.ts';
import { strings } from '../strings.ts';
import { now } from './clock.ts';
import { Copy } from './copy.tsx';
import { Exact } from './exact.tsx';

/**
 * A time as people speak of it; the exact one is shown on hover, on a tap, and where the keyboard has come to it.
 * `at` is RFC 3339, null for never. `inList`: the keyboard passes it by, since its row leads to it.
 */
export function Time({
  at,
  form = 'relative',
  inList = false,
}: {
  readonly at: string | null;
  readonly form?: 'relative' | 'date';
  readonly inList?: boolean;
}) {
  if (at === null) return <span class="quiet">{strings.time.never}</span>;
  const time = Date.parse(at);
  return (
    <Exact text={`${formatExact(time)}\n${at}`} inList={inList}>
      <time dateTime={at}>{form === 'date' ? formatDate(time) : formatRelative(time, now.value)}</time>
    </Exact>
  );
}

/** A time that is told exactly where it stands: it leads nowhere, and the keyboard passes it by. */
export function ExactMoment({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {formatToTheSecond(Date.parse(at))}
    </time>
  );
}

/** A size; where it is not exact as it stands, the exact one is shown as that of a time is. */
export function Size({ bytes, inList = false }: { readonly bytes: number; readonly inList?: boolean }) {
  const told = formatBytes(bytes);
  const exact = formatExactBytes(bytes);
  const [value, unit] = told.split(' ');
  const shown = (
    <span class="number">
      {value} <span class="unit">{unit}</span>
    </span>
  );
  return told === exact ? (
    shown
  ) : (
    <Exact text={exact} inList={inList}>
      {shown}
    </Exact>
  );
}

export function Count({ value }: { readonly value: number }) {
  return <span class="number">{formatCount(value)}</span>;
}

/** A digest or an id, shortened where it is long, copied whole. `what` names it for who cannot see it. */
export function Address({ text, what, whole = false }: { readonly text: string; readonly what: string; readonly whole?: boolean }) {
  return (
    <span class={whole && text.length > 40 ? 'address address-long' : 'address'}>
      <code title={text}>{whole ? text : shortAddress(text)}</code>
      <Copy text={text} what={what} />
    </span>
  );
}
