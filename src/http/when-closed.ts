import type { ServerResponse } from 'node:http';

const acts = Symbol('acts');

interface Followed extends ServerResponse {
  [acts]?: (() => void)[];
}

/**
 * Does something once an answer is finished or lost, at once where it is. An answer has a dozen of these, in the order
 * in which they were given, behind one listener: a listener each costs several times as much.
 */
export function whenClosed(response: ServerResponse, act: () => void): void {
  const followed: Followed = response;
  if (response.closed) act();
  else if (followed[acts] !== undefined) followed[acts].push(act);
  else {
    followed[acts] = [act];
    response.once('close', runActs);
  }
}

function runActs(this: Followed): void {
  for (const act of this[acts]!) act();
}
