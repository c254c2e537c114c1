import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataPlane, Draft, StoredObject } from '../../src/dataplane/DATAPLANE.ts';
import { type DataPlaneOptions, openDataPlane } from '../../src/dataplane/streaming.ts';
import { openLocalStorage } from '../../src/storage/local/local.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/STORAGE.ts';

export interface Plane {
  readonly plane: DataPlane;
  readonly local: Storage;
  /** A backend without drafts of its own. */
  readonly memory: Storage;
  /** The drafts that lie anywhere. */
  drafts(): Promise<readonly string[]>;
  readonly root: string;
}

/** A data plane over a local and a memory backend, on a folder that is removed after `body`. */
export async function withPlane(
  body: (plane: Plane) => Promise<void>,
  options: Omit<DataPlaneOptions, 'backends'> & { readonly backends?: readonly Storage[] } = {},
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'artifactstore-plane-'));
  try {
    const local = openLocalStorage({ id: 'local', root: join(root, 'store') });
    await mkdir(local.drafts.directory, { recursive: true });
    const memory = openMemoryStorage({ id: 'memory' });
    const spoolDirectory = join(root, 'spool');
    const backends = new Map([local, memory, ...(options.backends ?? [])].map((storage) => [storage.id, storage]));
    const plane = openDataPlane({ spoolDirectory, ...options, backends });
    try {
      const drafts = async (): Promise<readonly string[]> => [
        ...(await readdir(local.drafts.directory)),
        ...(await readdir(spoolDirectory).catch(() => [])),
      ];
      await body({ plane, local, memory, drafts, root });
    } finally {
      await plane.close();
    }
  } finally {
    await rm(root, { recursive: true });
  }
}

export function storedObject(draft: Draft, objectKey: string): StoredObject {
  const { backendId, sizeBytes, contentAddress, digestSha256, blockDigests } = draft;
  return { backendId, objectKey, sizeBytes, contentAddress, digestSha256, ...(blockDigests === undefined ? {} : { blockDigests }) };
}

/**
 * Cut at the given lengths, again and again. Every chunk is overwritten once the next one is asked for, as a source may
 * do.
 */
export async function* cut(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let first = 0, turn = 0; first < bytes.byteLength; turn++) {
    const length = lengths[turn % lengths.length] ?? bytes.byteLength;
    const chunk = Uint8Array.prototype.slice.call(bytes, first, first + length);
    yield chunk;
    chunk.fill(0xee);
    first += length;
  }
}

export async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

export const mebibyte = 1_048_576;

/** Where blocks, buffers and files change their ways. */
export const edgeSizes: readonly number[] = [
  0,
  1,
  4095,
  4096,
  4097,
  65_535,
  65_536,
  65_537,
  mebibyte - 1,
  mebibyte,
  mebibyte + 1,
  3 * mebibyte + 5,
];
