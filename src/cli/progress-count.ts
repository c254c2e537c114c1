import type { Output } from './output.ts';

/** Counts on one line of the terminal, for who watches; silent otherwise. */
export interface ProgressCount extends Disposable {
  readonly show: (done: number, total: number) => void;
  end(): void;
}

const pauseMilliseconds = 100;

export function createProgressCount(output: Output, label: string): ProgressCount {
  let last = 0;
  let shown = false;
  const end = (): void => {
    if (shown) process.stderr.write('\r\u001b[2K');
    shown = false;
  };
  return {
    show: (done, total) => {
      const now = performance.now();
      if (!output.watched || now - last < pauseMilliseconds) return;
      last = now;
      shown = true;
      process.stderr.write(`\r${label} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`);
    },
    end,
    [Symbol.dispose]: end,
  };
}
