import { ArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp, parseTimestamp } from '../../kernel/time.ts';

/** Whether this machine's clock can be believed: what is expired, and so what is deleted, follows from it. */
export interface ClockWatch {
  /** Why the clock is not believed, in words; undefined while it is. */
  doubt(): Promise<string | undefined>;
  /** Somebody who knows says that the clock is right now. From here on only a jump is doubted. */
  accept(): void;
  /** The same as an error; before anything is abandoned or collected. */
  requireRight(): Promise<void>;
}

export interface ClockWatchParts {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that nobody sets, and that continues while the machine sleeps. */
  uptime(): number;
  /** When the last event of the log was written, in the words of its writer's clock; undefined while there is none. */
  lastEvent(): Promise<string | undefined>;
  /** The clock of another machine, where there is one. */
  readonly otherClock?: () => Promise<number>;
}

/** Clocks of machines that work together differ by less. */
const boundMilliseconds = 300_000;

/**
 * Three things speak against a clock: it moved by itself while this process ran, the database server's says otherwise,
 * or the log has an event of the future. A clock that was wrong before the start, with nothing to compare it to, is
 * believed.
 */
export function createClockWatch(parts: ClockWatchParts): ClockWatch {
  const offset = (): number => parts.now() - parts.uptime();
  let believed = offset();
  let accepted = false;

  const doubt = async (): Promise<string | undefined> => {
    const jump = offset() - believed;
    const jumped = Math.abs(jump) > boundMilliseconds;
    if (accepted && !jumped) return undefined;
    const ahead = parts.otherClock === undefined ? undefined : parts.now() - (await parts.otherClock());
    if (ahead !== undefined && Math.abs(ahead) > boundMilliseconds)
      return `The clock of this machine is ${span(ahead)} ${ahead > 0 ? 'ahead of' : 'behind'} the database server's.`;
    if (jumped && ahead === undefined)
      return `The clock of this machine jumped ${span(jump)} ${jump > 0 ? 'forward' : 'back'} while this process ran.`;
    const last = accepted ? undefined : await parts.lastEvent();
    const behind = last === undefined ? 0 : parseTimestamp(last) - parts.now();
    if (behind > boundMilliseconds)
      return `The last event of the log was written at ${last}, and the clock of this machine says ${formatTimestamp(parts.now())}.`;
    // The other clock agrees: it was this one that was corrected.
    if (jumped) believed = offset();
    return undefined;
  };

  return {
    doubt,
    accept() {
      accepted = true;
      believed = offset();
    },
    async requireRight() {
      const why = await doubt();
      if (why === undefined) return;
      throw new ArtifactstoreError('clock_in_doubt', `${why} Nothing is swept or collected while it may be wrong.`, {
        info: { hint: 'correct the clock; if it is right, run again with --accept-clock (a server: restart it with --accept-clock)' },
      });
    },
  };
}

function span(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  const [size, unit] = [
    [86_400, 'days'],
    [3_600, 'hours'],
    [60, 'minutes'],
  ].find(([length]) => seconds >= 2 * Number(length)) ?? [1, 'seconds'];
  return `${Math.round(seconds / Number(size))} ${unit}`;
}
