import type { Patience } from './propagation.ts';

/** What every driver is opened with. */
export interface OpenOptions {
  /** Whose keys: an account's id, or what a driver says. */
  readonly account: string;
  /** Of the control plane, without a trailing slash; the provider's own where undefined. */
  readonly providerUrl: string | undefined;
  /** Of the objects; as the driver knows it where undefined. */
  readonly endpointUrl: string | undefined;
  readonly region: string | undefined;
  /** How long new keys may take to be known. */
  readonly patience: Patience;
  /** How long a rate limit is waited for altogether. */
  readonly limitMilliseconds: number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}
