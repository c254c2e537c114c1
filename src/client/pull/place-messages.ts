import type { ErrorRecord } from '../../kernel/error.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import type { BytesOfFile } from './placing.ts';

/** What a placing thread is started with. */
export interface PlaceThreadData {
  readonly root: string;
  readonly drafts: string;
  /** Its own, of the names of its drafts. */
  readonly prefix: string;
}

export type PlaceRequest =
  | { readonly kind: 'look'; readonly files: readonly ManifestFile[] }
  | { readonly kind: 'enter'; readonly file: ManifestFile }
  | { readonly kind: 'name'; readonly file: ManifestFile; readonly draft: string }
  /** Has no answer. */
  | { readonly kind: 'end' }
  /** The memory is moved to the thread. */
  | { readonly kind: 'place'; readonly files: readonly BytesOfFile[]; readonly memory: ArrayBuffer };

/** In the order of the requests. */
export interface PlaceAnswer {
  readonly there: readonly boolean[];
  /** How many files got their names. */
  readonly placed: number;
  readonly error?: ErrorRecord;
}
