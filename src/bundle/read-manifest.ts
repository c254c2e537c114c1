import type { RelativePath } from '../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { type Bundle, longestManifest, parseBundle } from './manifest.ts';
import { openInside } from './open-inside.ts';

/** What the system says of a manifest that was read: whoever finds the same has the same manifest. */
export interface ReadManifest {
  readonly bundle: Bundle;
  readonly state: string;
}

/** Reads a manifest that lies in a directory. Errors of what it says begin with its name. */
export async function readManifest(directory: string, name: RelativePath): Promise<ReadManifest> {
  await using handle = await openInside(directory, name);
  const seen = await handle.stat({ bigint: true });
  if (seen.size > longestManifest)
    throw new ArtifactstoreError('invalid_value', `${name} is longer than ${longestManifest} bytes: it is no manifest of a bundle.`);
  const bytes = await handle.readFile();
  try {
    return { bundle: parseBundle(bytes), state: stateOf(seen) };
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    const { code, field, info } = error;
    throw new ArtifactstoreError(code, `${name}: ${error.message}`, {
      ...(field === undefined ? {} : { field }),
      ...(info === undefined ? {} : { info }),
      cause: error,
    });
  }
}

interface Seen {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** All that changes with the bytes of a file. */
export function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: Seen): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
