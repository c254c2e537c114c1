import { readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename } from 'node:path';
import { getHeapStatistics } from 'node:v8';

/** What the tests let a confined thread do. */
export type WorkInput =
  | 'spin'
  | 'fill'
  | 'throw'
  | 'exit'
  | 'priority'
  | 'swell'
  | 'heap'
  | { readonly echo: number }
  | { readonly spinFor: number };

export function work(input: WorkInput): number {
  if (typeof input === 'object') {
    if ('echo' in input) return input.echo;
    for (const end = performance.now() + input.spinFor; performance.now() < end; );
    return input.spinFor;
  }
  if (input === 'priority') return getPriority(Number(basename(readlinkSync('/proc/thread-self'))));
  if (input === 'heap') return getHeapStatistics().total_heap_size;
  if (input === 'swell') {
    const swollen = Array.from({ length: 800_000 }, (_, at) => ({ at }));
    return getHeapStatistics().total_heap_size + Math.min(0, swollen.length);
  }
  if (input === 'spin') for (;;);
  if (input === 'exit') process.exit(3);
  if (input === 'throw') throw new Error('no such thing');
  const kept: object[] = [];
  for (;;) kept.push({ at: kept.length });
}
