import type { FileHandle } from 'node:fs/promises';
import { createHasher, toHex } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { createLimit } from '../runtime/limit.ts';
import type { Artifact } from './manifest.ts';
import { openInside } from './open-inside.ts';
import { chunksOf } from './read-chunks.ts';
import { stateOf } from './read-manifest.ts';

/** An artifact whose bytes are those that its manifest declares. */
export interface CheckedFile extends AsyncDisposable {
  readonly sizeBytes: number;
  /**
   * Its bytes from `first` to `last`, both included. The last of them are withheld until it is known that nobody has
   * changed the file since it was checked: as the system says, or by reading it whole again. `integrity_failure`
   * otherwise.
   */
  read(first: number, last: number): AsyncIterable<Uint8Array>;
}

export interface CheckedFiles {
  /**
   * Reads the whole file and compares its digest before anything of it is given out, and once for each state of it.
   * Errors: those of `openInside`, and `integrity_failure`.
   */
  open(directory: string, artifact: Artifact): Promise<CheckedFile>;
}

/** Files that are read at the same time to be checked. */
const checksAtOnce = 2;
/** As many states as are remembered. */
const mostRemembered = 20_000;
/**
 * A change in the same tick of the file system's clock leaves all times as they were. Nothing is remembered of a file
 * that had changed less than this before it was read (as in client/digest-index).
 */
const marginMilliseconds = 2_500;

export function createCheckedFiles(now: () => number = Date.now): CheckedFiles {
  /** Whether the digest is right, by the file's state and the digest. */
  const known = new Map<string, boolean>();
  const running = new Map<string, Promise<boolean>>();
  const limit = createLimit(checksAtOnce);

  async function check(handle: FileHandle, { sha256 }: Artifact, key: string): Promise<boolean> {
    const begunAt = now();
    const isRight = (await digestOf(handle)) === sha256;
    const { ctimeNs, mtimeNs } = await handle.stat({ bigint: true });
    const settled = BigInt(Math.floor(begunAt - marginMilliseconds)) * 1_000_000n;
    if (ctimeNs > settled || mtimeNs > settled) return isRight;
    if (known.size >= mostRemembered) known.delete(known.keys().next().value!);
    known.set(key, isRight);
    return isRight;
  }

  function isRight(handle: FileHandle, artifact: Artifact, key: string): Promise<boolean> {
    const checking = running.get(key) ?? limit.run(() => check(handle, artifact, key)).finally(() => running.delete(key));
    running.set(key, checking);
    return checking;
  }

  return {
    async open(directory, artifact) {
      const handle = await openInside(directory, artifact.path);
      try {
        const state = await stateNow(handle);
        const { size } = await handle.stat();
        if (size !== artifact.size_bytes) throw damaged(artifact, `it has ${size} bytes, not ${artifact.size_bytes}`);
        const key = `${state}:${artifact.sha256}`;
        if (!(known.get(key) ?? (await isRight(handle, artifact, key)))) throw damaged(artifact, 'its bytes have another digest');
        return {
          sizeBytes: size,
          read: (first, last) => steadyChunks(handle, artifact, state, first, last),
          [Symbol.asyncDispose]: () => handle.close(),
        };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
  };
}

async function* steadyChunks(
  handle: FileHandle,
  artifact: Artifact,
  state: string,
  first: number,
  last: number,
): AsyncGenerator<Uint8Array> {
  let given = first;
  for await (const chunk of chunksOf(handle, first, last + 1)) {
    given += chunk.byteLength;
    // A file that lost its name to another one has another state, and the same bytes.
    if (given > last && (await stateNow(handle)) !== state && (await digestOf(handle)) !== artifact.sha256)
      throw damaged(artifact, 'it was changed while it was read');
    yield chunk;
  }
  if (given <= last) throw damaged(artifact, 'it became shorter while it was read');
}

async function digestOf(handle: FileHandle): Promise<string> {
  const hasher = createHasher('sha256');
  for await (const chunk of chunksOf(handle, 0, Number.POSITIVE_INFINITY)) hasher.update(chunk);
  return toHex(hasher.digest());
}

async function stateNow(handle: FileHandle): Promise<string> {
  return stateOf(await handle.stat({ bigint: true }));
}

function damaged({ name, sha256 }: Artifact, fault: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The file of the artifact "${name}" is damaged: ${fault}.`, {
    info: { sha256, hint: 'publish the bundle again, which replaces the file' },
  });
}
