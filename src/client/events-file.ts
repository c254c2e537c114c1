import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { EventRecord } from '../registry/REGISTRY.ts';
import { localFileError } from '../runtime/file-error.ts';
import { refuseDatabase } from './refuse-database.ts';

/** A file of events that has its name only once it is whole: half of a log would pass for a shorter log. */
export interface EventsFile extends AsyncDisposable {
  write(events: readonly EventRecord[]): Promise<void>;
  /** Everything is on the disk, and the file has its name; another of that name is replaced. */
  finish(): Promise<void>;
}

/**
 * Errors of the operating system come in words, with the file's name; `field` is the input that named it. A database is
 * not replaced (`target_in_use`).
 */
export async function openEventsFile(path: string, field: string): Promise<EventsFile> {
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined) refuseDatabase(path, field);
  // A device, a pipe: there is nothing to replace.
  const draft = there === undefined || there.isFile() ? `${path}.${randomUUID()}.draft` : undefined;
  let finished = draft === undefined;
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw localFileError(error, path, 'written', { field });
    }
  };
  const handle: FileHandle = await told(draft === undefined ? open(path, 'w') : open(draft, 'wx'));
  return {
    write: (events) => told(handle.writeFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''))),
    async finish() {
      if (draft !== undefined) await told(handle.sync().then(() => rename(draft, path)));
      finished = true;
    },
    async [Symbol.asyncDispose]() {
      await handle.close();
      if (!finished && draft !== undefined) await rm(draft, { force: true });
    },
  };
}
