import type { Output } from './output.ts';
import { formatBytes } from './size.ts';

/** A bar on the terminal, for who watches; silent otherwise. */
export interface Progress {
  /** More to do than was known. */
  grow(bytes: number): void;
  advance(bytes: number): void;
  stop(): void;
}

export async function createProgress(output: Output, label: string, total: number): Promise<Progress> {
  if (output.watched === undefined) return { grow: () => undefined, advance: () => undefined, stop: () => undefined };
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar({
    stream: output.watched,
    format: `${label} {bar} {percentage}% {done} of {all}, {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 100,
    fps: 8,
  });
  let all = total;
  let done = 0;
  const shown = () => ({ done: formatBytes(done), all: formatBytes(all) });
  bar.start(all, 0, shown());
  return {
    grow: (bytes) => {
      all += bytes;
      bar.setTotal(all);
    },
    advance: (bytes) => {
      done += bytes;
      bar.update(done, shown());
    },
    stop: () => bar.stop(),
  };
}
