import { unlink } from 'node:fs/promises';
import type { Digests } from '../DATAPLANE.ts';
import { createDraftFile, type DraftFile, readDraft } from './draft-file.ts';

/**
 * A draft for bytes that are sent elsewhere. It need not survive the process: nothing is acknowledged before they have
 * arrived there.
 */
export interface SpoolDraft extends DraftFile {
  /** The bytes as they were hashed, as often as wanted, until `discard`. */
  read(draft: Digests & { readonly sizeBytes: number }): AsyncIterable<Uint8Array>;
  /** Gives back what it holds. Never throws. */
  discard(): Promise<void>;
}

/** The memory that all drafts share. */
export interface DraftMemory {
  /** Whether there was room; what was taken is given back once. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createDraftMemory(totalBytes: number): DraftMemory {
  let free = totalBytes;
  return {
    take(bytes) {
      if (bytes > free) return false;
      free -= bytes;
      return true;
    },
    give(bytes) {
      free += bytes;
    },
  };
}

/**
 * In memory as long as the bytes are few and there is room, in the file at `path` otherwise: to open, write, read and
 * remove a file costs more than to send a small object.
 */
export function createSpoolDraft(path: string, room: DraftMemory): SpoolDraft {
  let pieces: Buffer[] = [];
  let held = 0;
  let file: DraftFile | undefined;

  function release(): void {
    room.give(held);
    held = 0;
    pieces = [];
  }

  return {
    async write(bytes) {
      if (file === undefined && held + bytes.byteLength <= maximumHeldBytes && room.take(bytes.byteLength)) {
        held += bytes.byteLength;
        pieces.push(Buffer.from(bytes));
        return;
      }
      const begun = file;
      file ??= createDraftFile(path, undefined);
      const earlier = begun === undefined ? pieces : [];
      await Promise.all([...earlier, bytes].map((piece) => file!.write(piece)));
      if (begun === undefined) release();
    },
    async finish() {
      await file?.finish();
    },
    async abandon() {
      release();
      await file?.abandon();
    },
    read: (draft) => (file === undefined ? repeated(pieces) : readDraft(path, draft)),
    async discard() {
      release();
      if (file !== undefined) await unlink(path).catch(() => undefined);
    },
  };
}

/** Bytes in memory, as often as they are wanted. */
export function repeated(pieces: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* pieces;
    },
  };
}

/** One block. */
const maximumHeldBytes = 1_048_576;
