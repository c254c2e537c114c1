import type { CommandOutput } from '../../command.ts';
import { formatBytes } from './size.ts';

/** A bar on the terminal, for who watches, from when there is something to do; silent otherwise. */
export interface Progress {
  /** More to do than was known. */
  grow(bytes: number): void;
  advance(bytes: number): void;
  stop(): void;
}

export async function createProgress(output: Pick<CommandOutput, 'watched'>, label: string, total = 0): Promise<Progress> {
  if (output.watched === undefined) return { grow: () => undefined, advance: () => undefined, stop: () => undefined };
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar({
    stream: output.watched,
    format: `${label} {bar} {percentage}% {done} of {all}{left}`,
    barsize: Math.max(10, Math.min(40, (output.watched.columns ?? 80) - label.length - wordsWidth)),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
  });
  let all = total;
  let done = 0;
  let startedAt: number | undefined;
  const shown = () => ({ done: formatBytes(done), all: formatBytes(all), left: timeLeft() });
  const timeLeft = (): string => {
    // Before the first byte there is no rate: large files are read once before they are sent.
    if (startedAt === undefined || done <= 0) return '';
    const seconds = ((performance.now() - startedAt) / 1000) * (all / done - 1);
    return seconds < 1 ? '' : `, ${formatSeconds(Math.round(seconds))} left`;
  };
  let begun = false;
  const grow = (bytes: number): void => {
    all += bytes;
    if (begun) bar.setTotal(all);
    else if (all > 0) bar.start(all, 0, shown());
    begun ||= all > 0;
  };
  grow(0);
  return {
    grow,
    advance: (bytes) => {
      startedAt ??= performance.now();
      done += bytes;
      if (begun) bar.update(done, shown());
    },
    stop: () => {
      if (begun) bar.stop();
    },
  };
}

/** ` 100% 1023.9 MiB of 1023.9 MiB, 59m59s left` */
const wordsWidth = 46;

function formatSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  return minutes < 60 ? `${minutes}m${seconds % 60}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
