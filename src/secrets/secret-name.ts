import { ArtifactstoreError } from '../kernel/error.ts';

/**
 * Segments of letters, digits, `.`, `_` and `-` that begin with a letter, a digit or `_`, with slashes between them:
 * 255 characters at most. A store whose documents have several fields takes one of them behind a `#`.
 */
export function isSecretName(name: string): boolean {
  return (
    name.length <= 255 && /^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*(?:#[A-Za-z0-9_][A-Za-z0-9._-]*)?$/.test(name)
  );
}

export interface ParsedName {
  readonly path: string;
  readonly field: string | undefined;
}

/** Errors: `invalid_value`. */
export function parseSecretName(name: string): ParsedName {
  if (!isSecretName(name))
    throw new ArtifactstoreError(
      'invalid_value',
      `"${name.slice(0, 255)}" is no name of a secret: letters, digits and . _ - with / between segments, and a field behind #.`,
      { field: 'name' },
    );
  const [path = '', field] = name.split('#');
  return { path, field };
}
