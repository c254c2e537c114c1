import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { HttpBound, Limits } from './limits.ts';
import { createPlaces } from './places.ts';
import { whenClosed } from './when-closed.ts';

const checkMilliseconds = 1_000;

export interface Unread {
  /** Looks now, and not only every second: for when much was answered. */
  look(): void;
  end(): void;
}

interface Answer {
  /** What its reader has not taken, when it was looked at last, and since when that has not changed. */
  unsent: number;
  since: number;
  armed: boolean;
}

interface Followed {
  readonly response: ServerResponse;
  answer: Answer;
  isLetGo: boolean;
}

/** Of most answers nothing is left when they are looked at. */
const taken: Readonly<Answer> = { unsent: 0, since: 0, armed: false };

/**
 * Drops answers that nobody reads, whatever they are: one whose reader takes nothing for `idleTimeout`, and, while
 * all answers together hold more than `unsentBytes`, those that have waited longest. A slow reader that continues is
 * left alone. The connection is reset, so that the system keeps nothing of it either.
 */
export function letGoUnread(
  server: Server,
  limits: Pick<Limits, 'idleTimeout' | 'unsentBytes'>,
  limited: (limit: HttpBound) => void,
): Unread {
  const answers = createPlaces<Followed>();

  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    whenClosed(response, answers.put({ response, answer: taken, isLetGo: false }));
  });

  function letGo(followed: Followed, limit: HttpBound): void {
    limited(limit);
    followed.isLetGo = true;
    followed.response.socket?.resetAndDestroy();
  }

  function watch(followed: Followed): Answer {
    followed.answer = { ...taken };
    followed.response.on('timeout', () => letGo(followed, 'unread_answer'));
    return followed.answer;
  }

  function look(): void {
    const now = performance.now();
    let all = 0;
    for (const followed of answers) {
      const { writableLength: unsent, socket } = followed.response;
      if (followed.isLetGo || (followed.answer === taken && unsent === 0)) continue;
      const answer = followed.answer === taken ? watch(followed) : followed.answer;
      if (unsent !== answer.unsent) answer.since = now;
      answer.unsent = unsent;
      all += unsent;
      // The socket's own timer sees the progress within one long write.
      if (unsent > 0 !== answer.armed) {
        answer.armed = unsent > 0;
        socket?.setTimeout(unsent > 0 ? limits.idleTimeout : 0);
      }
    }
    if (all <= limits.unsentBytes) return;
    const behind = [...answers]
      .filter(({ answer, isLetGo }) => !isLetGo && answer.unsent > 0)
      .sort((left, right) => left.answer.since - right.answer.since);
    for (const followed of behind) {
      if (all <= limits.unsentBytes) return;
      all -= followed.answer.unsent;
      letGo(followed, 'unsent_bytes');
    }
  }

  const timer = setInterval(look, Math.min(checkMilliseconds, limits.idleTimeout / 4));
  timer.unref();
  return { look, end: () => clearInterval(timer) };
}
