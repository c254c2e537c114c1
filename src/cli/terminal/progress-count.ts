import type { Output } from './output.ts';
import { createProgressLine } from './progress-line.ts';

/** Counts on one line of the terminal, for who watches; silent otherwise. */
export interface ProgressCount extends Disposable {
  readonly show: (done: number, total: number) => void;
  end(): void;
}

export function createProgressCount(output: Output, label: string): ProgressCount {
  const line = createProgressLine(output);
  return {
    show: (done, total) => line.show(() => `${label} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`),
    end: line.clear,
    [Symbol.dispose]: line.clear,
  };
}
