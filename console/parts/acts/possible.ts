import type { Package } from '../../api/records.ts';

/** In the order in which they are offered. */
const order = ['seal', 'hold', 'extend', 'abandon'] as const;

/**
 * What can be done to a package as it is, by somebody with these rights. `holds`: how many are in force; undefined
 * where that is not known yet, and then nothing is offered that depends on it. Each hold is released where it is shown.
 */
export function possibleActs(
  { status, file_count, expires_at }: Pick<Package, 'status' | 'file_count' | 'expires_at'>,
  holds: number | undefined,
  rights: { readonly write: boolean; readonly keep: boolean },
): readonly (typeof order)[number][] {
  const isLive = status === 'created' || status === 'finalized';
  const possible: Readonly<Record<(typeof order)[number], boolean>> = {
    seal: rights.write && status === 'created' && file_count > 0,
    hold: rights.keep && isLive,
    extend: rights.keep && isLive && expires_at !== null,
    abandon: rights.write && status === 'created' && holds === 0,
  };
  return order.filter((act) => possible[act]);
}
