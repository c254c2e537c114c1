import type { Operator } from '../../registry/upkeep/OPERATOR.ts';
import type { Output } from './output.ts';

/** For a dry run: says what a real one would be refused for. */
export async function warnOfClock(operator: Pick<Operator, 'clockDoubt'>, output: Pick<Output, 'warn'>): Promise<string | undefined> {
  const doubt = await operator.clockDoubt();
  if (doubt !== undefined)
    output.warn(`${doubt} Without --dry-run this would be refused until the clock is right, or --accept-clock is given.`);
  return doubt;
}
