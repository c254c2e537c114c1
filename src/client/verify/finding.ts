import type { ManifestFile } from '../../kernel/manifest.ts';

/** What is not as a manifest says, in one word (docs/cli.md). */
export type Problem =
  /** Other bytes than the manifest's. */
  | 'damaged'
  /** Not there. */
  | 'missing'
  /** There, and not in the manifest. */
  | 'unexpected'
  /** The right bytes with the wrong executable bit. */
  | 'mode'
  /** A symbolic link, which is never followed. */
  | 'link'
  /** A pipe, a socket, a device, or a directory in a file's place. */
  | 'special'
  /** It could not be read, so nothing is known of it. */
  | 'unreadable';

export interface Finding {
  readonly relative_path: string;
  readonly problem: Problem;
  readonly detail: string;
}

export function found({ relative_path }: Pick<ManifestFile, 'relative_path'>, problem: Problem, detail: string): Finding {
  return { relative_path, problem, detail };
}
