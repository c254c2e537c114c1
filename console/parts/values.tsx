import { formatBytes, formatCount, formatDate, formatExact, formatRelative, shortAddress } from '../format.ts';
import { strings } from '../strings.ts';
import { now } from './clock.ts';
import { Copy } from './copy.tsx';

/** A time as people speak of it; the exact one is shown on hover. `at` is RFC 3339, null for never. */
export function Time({ at, form = 'relative' }: { readonly at: string | null; readonly form?: 'relative' | 'date' }) {
  if (at === null) return <span class="quiet">{strings.time.never}</span>;
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={`${formatExact(time)}\n${at}`}>
      {form === 'date' ? formatDate(time) : formatRelative(time, now.value)}
    </time>
  );
}

/** A size; the exact one is shown on hover. */
export function Size({ bytes }: { readonly bytes: number }) {
  const [value, unit] = formatBytes(bytes).split(' ');
  return (
    <span class="number" title={`${formatCount(bytes)} bytes`}>
      {value} <span class="unit">{unit}</span>
    </span>
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
