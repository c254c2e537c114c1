import type { File } from './api/records.ts';

/** Whether the bytes of a file are known to be damaged or missing wherever it keeps them. */
export function isDamaged({ locations }: Pick<File, 'locations'>): boolean {
  const kept = locations.filter(({ state }) => state !== 'deleted');
  return kept.length > 0 && kept.every(({ state }) => state === 'failed');
}
