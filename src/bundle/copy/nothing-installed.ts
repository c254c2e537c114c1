import { ArtifactstoreError } from '../../kernel/error.ts';

/** Of a place that no bundle was ever copied to, as far as can be seen. */
export function nothingInstalled(title: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'storage_unavailable',
    `Nothing was ever installed at ${title}: it is new, or what belongs there is not mounted.`,
    {
      field: '--to',
      info: { hint: 'mount it; where it is a new place, say so with --create' },
    },
  );
}
