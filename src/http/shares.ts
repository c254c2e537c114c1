import { ArtifactstoreError } from '../kernel/error.ts';
import { type HttpBound, httpBounds, type Limits } from './limits.ts';

/** How much of the server each principal uses now: one that uses all of its share is refused, and others are not. */
export interface Shares {
  /** Counts one more until the answer's end, which the caller tells by what it is given. Errors: `too_busy`. */
  enter(share: Share, principal: string): () => void;
}

export type Share = 'requests_of_one' | 'streams_of_one';

const words = {
  requests_of_one: 'requests that it may have answered',
  streams_of_one: 'uploads, event streams and waiting readers that it may have open',
} as const satisfies Partial<Record<HttpBound, string>>;

export function createShares({ requestsOfOne, streamsOfOne }: Pick<Limits, 'requestsOfOne' | 'streamsOfOne'>): Shares {
  const limits = { requests_of_one: requestsOfOne, streams_of_one: streamsOfOne };
  const used = { requests_of_one: new Map<string, number>(), streams_of_one: new Map<string, number>() };
  return {
    enter(share, principal) {
      const [limit, counts] = [limits[share], used[share]];
      const count = counts.get(principal) ?? 0;
      if (limit > 0 && count >= limit) {
        const { variable } = httpBounds[share];
        throw new ArtifactstoreError(
          'too_busy',
          `This caller has the ${limit} ${words[share]} at a time; ask again later. Whoever runs the server sets it by ${variable}.`,
          { info: { bound: share, limit, variable } },
        );
      }
      counts.set(principal, count + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const rest = counts.get(principal)! - 1;
        if (rest === 0) counts.delete(principal);
        else counts.set(principal, rest);
      };
    },
  };
}

/**
 * For whom a request is made that does not say it: for a network, since whoever has an IPv6 address has all of its /64.
 * It never leaves the process.
 */
export function shareOfAddress(address: string | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return `address ${plain.includes(':') ? networkOf(plain) : plain}`;
}

/** The first four groups. */
function networkOf(address: string): string {
  const [before = '', after] = address.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const groups = after === undefined ? head : [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
  return groups.slice(0, 4).join(':');
}
