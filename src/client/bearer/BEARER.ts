import type { ArtifactstoreError } from '../../kernel/error.ts';

/**
 * Where a client's bearer token comes from, for as long as it works. Behind it are a fixed token, a file, a function,
 * and the platforms that give a job a token of its own. A token is in no error, log or event.
 */
export interface BearerSource {
  /**
   * The token as it is there now: read or asked for each time. Errors: `invalid_configuration`, `invalid_path` and
   * `local_file_failed` (a file), `identity_unavailable` (a platform that can't be asked now).
   */
  take(): Promise<string>;
  /** What to do where a server refused this token and there is no other; undefined where nothing is known. */
  hint?(refused: string): string | undefined;
  /** Whether the tokens of this source begin to live when they are taken, so that the clock here needs not be right. */
  readonly isFresh?: boolean;
}

/** As a transport uses it. Work that is stopped is not waited for: `cancelled`. */
export interface Bearer {
  /** A token that can be used now, renewed before it ends. Errors: those of the source. */
  token(signal?: AbortSignal): Promise<string>;
  /** Another token than the one that was refused; undefined where there is none. Errors: those of the source. */
  another(refused: string, signal?: AbortSignal): Promise<string | undefined>;
  /** The refusal of a token that no other replaces, with what is known of it. */
  explained(refusal: ArtifactstoreError, refused: string): ArtifactstoreError;
}
