import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';

/** What messages call the two settings of a source; as the library calls them where absent. */
export interface SourceNames {
  readonly address: string;
  readonly token: string;
}

export const librarySourceNames: SourceNames = { address: '`url`', token: '`token`' };

/**
 * An error of the source, which says so: the same codes are answered by the registry that is copied to, and what to do
 * is not the same.
 */
export function ofSource(error: unknown, names: SourceNames): unknown {
  if (!isArtifactstoreError(error) || isOfSource(error)) return error;
  const own = typeof error.info?.hint === 'string' ? error.info.hint : undefined;
  const hint = own?.replaceAll('ARTIFACTSTORE_API_URL (or --api-url)', names.address) ?? hintFor(error, names);
  return new ArtifactstoreError(error.code, `The source: ${error.message}`, {
    ...(error.field === undefined ? {} : { field: error.field }),
    info: { ...error.info, ...(hint === undefined ? {} : { hint }), side: 'source' },
    cause: error,
  });
}

/** Whether the source is what failed, and not the registry that is copied to. */
export function isOfSource(error: unknown): boolean {
  return isArtifactstoreError(error) && error.info?.side === 'source';
}

/** Whether a registry itself says that something is not there, or is gone; versions have different codes for it. */
export function isMissing(error: unknown): boolean {
  if (!isArtifactstoreError(error) || error.code === 'unexpected_answer') return false;
  return error.info?.status === 404 || error.info?.status === 410;
}

function hintFor({ code }: ArtifactstoreError, { address, token }: SourceNames): string | undefined {
  if (code === 'unauthorized') return `set ${token} to a token of the source`;
  if (code === 'forbidden') return `the token in ${token} may not read this: ask who keeps the access file of the source`;
  if (code === 'server_unreachable') return `is ${address} its address, and does it run?`;
  if (code === 'route_not_found') return `set ${address} to the address of an artifactstore, with the path in front of its API`;
  return undefined;
}
