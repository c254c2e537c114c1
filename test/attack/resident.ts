import { readFileSync } from 'node:fs';

/** What another process, and each that it started, holds in memory; looked at ten times a second. */
export interface Watch {
  /** In bytes: the most that one of them had since it began. */
  readonly peak: number;
  /** That of the one that has most. */
  readonly now: number;
  end(): void;
}

/** Linux tells it under /proc. */
export function watchResident(pid: number): Watch {
  let now = 0;
  let peak = 0;
  const timer = setInterval(() => {
    now = Math.max(...[pid, ...startedBy(pid)].map(residentOf));
    peak = Math.max(peak, now);
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

function startedBy(pid: number): readonly number[] {
  return (read(`/proc/${pid}/task/${pid}/children`)?.match(/\d+/g) ?? []).map(Number);
}

function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024;
}

/** Undefined for a process that has ended, which its parent is told by other means. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
