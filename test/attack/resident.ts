import { readFileSync } from 'node:fs';

/** What another process holds in memory, looked at ten times a second. */
export interface Watch {
  /** In bytes, the most since it began. */
  readonly peak: number;
  readonly now: number;
  end(): void;
}

/** Linux tells it under /proc. */
export function watchResident(pid: number): Watch {
  let now = 0;
  let peak = 0;
  const timer = setInterval(() => {
    try {
      now = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
      peak = Math.max(peak, now);
    } catch {
      // It ended, which its parent is told by other means.
    }
  }, 100);
  return {
    get peak() {
      return peak;
    },
    get now() {
      return now;
    },
    end: () => clearInterval(timer),
  };
}
