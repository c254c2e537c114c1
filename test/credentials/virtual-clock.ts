/** A clock that moves only when it is told to, or when somebody waits. What is due on the way happens in its order. */
export interface VirtualClock {
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  advance(milliseconds: number): void;
  at(milliseconds: number, action: () => void): void;
}

export function virtualClock(start: number = Date.UTC(2030, 0, 1)): VirtualClock {
  let time = start;
  const agenda: { readonly due: number; readonly action: () => void }[] = [];
  const advance = (milliseconds: number): void => {
    const end = time + milliseconds;
    while (agenda[0] !== undefined && agenda[0].due <= end) {
      const next = agenda.shift()!;
      time = Math.max(time, next.due);
      next.action();
    }
    time = end;
  };
  return {
    now: () => time,
    advance,
    wait: async (milliseconds) => advance(milliseconds),
    at(milliseconds, action) {
      agenda.push({ due: start + milliseconds, action });
      agenda.sort((left, right) => left.due - right.due);
    },
  };
}
