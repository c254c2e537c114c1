import type { Wire } from '../wire.ts';

export interface CountedWire {
  readonly wire: Wire;
  /** How many were sent that only ask, and how many that may change something. */
  readonly requests: { readonly reading: number; readonly writing: number };
}

/** The same wire, with its requests counted. */
export function countedWire(wire: Wire): CountedWire {
  const requests = { reading: 0, writing: 0 };
  return {
    requests,
    wire: {
      send(call) {
        requests[['GET', 'HEAD'].includes(call.method ?? 'GET') ? 'reading' : 'writing'] += 1;
        return wire.send(call);
      },
      address: (call) => wire.address(call),
      get clockAheadMilliseconds() {
        return wire.clockAheadMilliseconds;
      },
      close: () => wire.close(),
    },
  };
}
