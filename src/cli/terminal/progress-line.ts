import { printable } from '../../kernel/format/printable.ts';
import type { Output } from './output.ts';

/** One line of the terminal that is written over, for who watches; silent otherwise. */
export interface ProgressLine extends Disposable {
  /** Asked for the text only when it is time to show it. */
  show(text: () => string): void;
  /** Clears the line: before anything else is said, and at the end. */
  clear(): void;
}

const pauseMilliseconds = 100;

export function createProgressLine(output: Output): ProgressLine {
  let last = Number.NEGATIVE_INFINITY;
  let shown = false;
  const clear = (): void => {
    if (shown) output.watched?.write('\r\u001b[2K');
    shown = false;
  };
  return {
    show(text) {
      const now = performance.now();
      if (output.watched === undefined || now - last < pauseMilliseconds) return;
      last = now;
      shown = true;
      output.watched.write(`\r\u001b[2K${printable(text())}`);
    },
    clear,
    [Symbol.dispose]: clear,
  };
}
