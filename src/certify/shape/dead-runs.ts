import { openLedger } from '../ledger.ts';
import { head, list } from '../steps.ts';
import type { Wire } from '../wire.ts';
import { aliveName, probesPrefix } from './pulse.ts';

export interface DeadRunsOptions {
  readonly wire: Wire;
  /** What cleans up. */
  readonly broom: Wire;
  readonly bucket: string;
  /** The prefix of the run that asks. */
  readonly own: string;
  /** From when on a run without a pulse is dead. */
  readonly deadMilliseconds: number;
}

export interface FoundRuns {
  /** Prefixes of runs that were killed, whose objects are gone now. */
  readonly cleaned: readonly string[];
  /** Prefixes of runs that may still be at work. */
  readonly busy: readonly string[];
  readonly leftovers: readonly string[];
}

/**
 * Removes what runs left that were killed. A run writes a pulse while it works: one that has none for a while, by the
 * store's own clock, is dead. In doubt it is not.
 */
export async function removeDeadRuns({ wire, broom, bucket, own, deadMilliseconds }: DeadRunsOptions): Promise<FoundRuns> {
  const cleaned: string[] = [];
  const busy: string[] = [];
  const leftovers: string[] = [];
  const { prefixes } = await list({ wire }, { prefix: probesPrefix, delimiter: '/' });
  for (const prefix of prefixes) {
    if (prefix === own || !ofRun.test(prefix)) continue;
    const { status, headers } = await head({ wire }, `${prefix}${aliveName}`);
    const silence = Date.parse(headers.date ?? '') - Date.parse(headers['last-modified'] ?? '');
    if (status !== 404 && !(status === 200 && silence >= deadMilliseconds)) {
      busy.push(prefix);
      continue;
    }
    // Some stores show a folder for a while after the last object in it.
    const { keys } = await list({ wire }, { prefix, 'max-keys': '1' });
    if (keys.length === 0) continue;
    leftovers.push(...(await openLedger({ wire, broom, bucket, prefix, lockMilliseconds: 0 }).removeAll()));
    cleaned.push(prefix);
  }
  return { cleaned, busy, leftovers };
}

/** Nothing else is touched. */
const ofRun = new RegExp(`^${probesPrefix}[0-9a-f]{12}/$`);
