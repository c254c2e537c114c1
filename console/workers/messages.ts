import type { Digests, Finding } from './proof.ts';

/** What the page asks the worker to verify. */
export interface Question {
  /** Where the HTTP interface is. */
  readonly api: string;
  readonly token: string | undefined;
  readonly package_id: string;
  /** Null where the package is not sealed. */
  readonly manifest_digest: string | null;
  /** Without one the manifest alone is verified. */
  readonly file?: Digests & { readonly id: string; readonly relative_path: string };
}

export type StepName = 'bytes' | 'manifest' | 'chain';

export type Answer =
  | { readonly kind: 'progress'; readonly bytes: number }
  | {
      readonly kind: 'finding';
      readonly step: StepName;
      readonly finding: Finding;
      readonly provenance?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'done' };
