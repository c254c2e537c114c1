import type { Dialect } from '../storage/s3/settings.ts';

/** What a store did when it was asked, as plain JSON. It holds no secrets. */
export interface Certificate {
  readonly store: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    /** What it calls itself. */
    readonly server: string | null;
  };
  /** Of the software that asked. */
  readonly version: string;
  readonly started_at: string;
  readonly seconds: number;
  readonly grade: Grade;
  readonly uses: readonly Judgement[];
  /** Of the keys that the store was asked with. The grade does not depend on it: it is of the store. */
  readonly scope: KeysScope;
  readonly probes: readonly ProbeResult[];
  readonly dialect: Dialect;
  /** What could not be removed again. */
  readonly leftovers: readonly string[];
}

export const families = [
  'objects',
  'ranges',
  'listing',
  'multipart',
  'conditions',
  'checksums',
  'presigned',
  'keys',
  'errors',
  'lock',
  'reach',
  'clock',
] as const;

export type Family = (typeof families)[number];

export interface Finding {
  /** `differs`: not as AWS has it, and not wrong either. `skipped`: the detail says why. */
  readonly result: 'pass' | 'fail' | 'differs' | 'skipped';
  readonly detail: string;
}

export interface ProbeResult extends Finding {
  /** `<family>.<name>`. */
  readonly id: string;
  readonly family: Family;
  /** What holds when it passes. */
  readonly title: string;
  /** What goes wrong where it does not hold. */
  readonly why: string;
}

/** How far keys reach. */
export interface KeysScope {
  /** `proven`: used within, refused outside. `too_wide`: an escape was not refused. `unproven`: not all was asked. */
  readonly verdict: 'proven' | 'too_wide' | 'unproven';
  /** The probes that decided, with what was found and what to do. */
  readonly decided_by: readonly { readonly id: string; readonly text: string; readonly remedy: string }[];
}

/** What a store may be wanted for. */
export type Use = 'registry' | 'several-writers' | 'conditional-publishing' | 'direct-uploads' | 'write-once';

/** `unproven`: nothing essential failed, and not all of it was answered. */
export type Verdict = 'safe' | 'safe_with_precautions' | 'unsafe' | 'unproven';

export interface Judgement {
  readonly use: Use;
  readonly title: string;
  readonly verdict: Verdict;
  /** The probes that decided, with what was found, or with what the backend does about it. */
  readonly decided_by: readonly { readonly id: string; readonly text: string }[];
}

/**
 * A: safe for everything. B: the same, with precautions. C: for registry storage, and not for something else. F:
 * unsafe. U: unproven.
 */
export type Grade = 'A' | 'B' | 'C' | 'F' | 'U';
