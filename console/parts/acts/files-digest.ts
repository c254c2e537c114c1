import { canonicalJson } from '../../../src/kernel/format/json.ts';

/** A file of a package, as far as its digest of all files has it. */
export interface SealedFile {
  readonly relative_path: string;
  readonly size_bytes: number;
  readonly digest_sha256: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The text whose SHA-256 says what a package holds (docs/http.md, `files_digest`), in parts. The files come in the
 * order of the server's list, which is that of their paths.
 */
export function filesDigestText(files: readonly SealedFile[]): readonly string[] {
  return [
    '[',
    ...files.map(
      ({ annotations, digest_sha256, relative_path, size_bytes }, index) =>
        (index === 0 ? '' : ',') + canonicalJson({ annotations, digest_sha256, relative_path, size_bytes }),
    ),
    ']',
  ];
}
