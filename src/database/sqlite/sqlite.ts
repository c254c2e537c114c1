import { statSync } from 'node:fs';
import { moduleUrl } from '../../runtime/module-url.ts';
import type { Database, OpenOptions, Operations } from '../DATABASE.ts';
import { createEventWaiters } from '../event-waiters.ts';
import { asArtifactstoreError, databaseUnavailable } from '../failure.ts';
import type { ThreadData } from './messages.ts';
import { createDatabaseThread } from './thread.ts';
import { threadWhileAsked } from './thread-while-asked.ts';
import { openSqliteVersion } from './version.ts';

export interface SqliteOptions extends OpenOptions {
  /** The database file; its folder is made by `migrate`. */
  readonly path: string;
  /** A database of so many bytes has a thread of its own for `operations.long`; 128 MiB where absent. */
  readonly longFromBytes?: number;
}

const pollMilliseconds = 25;
const healthMilliseconds = 3_000;

/**
 * The embedded database: one file, one thread that writes and one that reads, and beside a long read another one while
 * it lasts. Several processes may share the file.
 */
export async function openSqlite<O extends Operations = Operations>(options: SqliteOptions): Promise<Database<O>> {
  const data = { path: options.path, operations: options.operations.url.href, readOnly: options.readOnly === true };
  if (data.readOnly) return await openReadOnly(data);
  const writer = createDatabaseThread(moduleUrl('./writer.ts', import.meta.url), data);
  const reader = createDatabaseThread(moduleUrl('./reader.ts', import.meta.url), data);
  const aside = threadWhileAsked(() => createDatabaseThread(moduleUrl('./reader.ts', import.meta.url), data));
  const { long = [] } = options.operations;
  const { longFromBytes = 2 ** 27 } = options;
  const waiters = createEventWaiters(async () => (await reader.call({ kind: 'last_sequence' })).output as number, pollMilliseconds);

  const version = openSqliteVersion(options.path);

  const close = async (): Promise<void> => {
    waiters.close();
    version.close();
    // The writer is the last to close: only a connection that may write folds the write-ahead log into the file.
    await aside.close();
    await reader.close();
    await writer.close();
  };

  try {
    await writer.call({ kind: options.migrate === true ? 'migrate' : 'start' });
    await reader.call({ kind: 'start' });
  } catch (error) {
    await close();
    throw error;
  }

  return {
    async write(name, input) {
      const { output, sequence } = await writer.call({ kind: 'operation', name, input });
      if (sequence !== undefined) waiters.reached(sequence);
      return output as never;
    },
    async read(name, input) {
      // In a small one it takes less than to start a thread.
      const thread = long.includes(name) && sizeOf(options.path) >= longFromBytes ? aside : reader;
      return (await thread.call({ kind: 'operation', name, input })).output as never;
    },
    version: version.read,
    waitForEvents: waiters.wait,
    async replay(onProgress) {
      return (await writer.call({ kind: 'replay' }, onProgress)).output as { readonly events: number; readonly sequence: number };
    },
    async migrate() {
      return (await writer.call({ kind: 'migrate' })).output as readonly string[];
    },
    health: () =>
      health(async () => {
        await writer.call({ kind: 'health' });
        return await reader.call({ kind: 'health' });
      }),
    close,
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Only the thread that reads; the file's folder stays as it is. */
async function openReadOnly<O extends Operations>(data: ThreadData): Promise<Database<O>> {
  const reader = createDatabaseThread(moduleUrl('./reader.ts', import.meta.url), data);
  const waiters = createEventWaiters(async () => (await reader.call({ kind: 'last_sequence' })).output as number, pollMilliseconds);
  const refuse = async (): Promise<never> => {
    throw databaseUnavailable('The database was opened to be read; nothing is written.');
  };
  return {
    async read(name, input) {
      return (await reader.call({ kind: 'operation', name, input })).output as never;
    },
    waitForEvents: waiters.wait,
    health: () => health(() => reader.call({ kind: 'health' })),
    write: refuse,
    replay: refuse,
    migrate: refuse,
    async close() {
      waiters.close();
      await reader.close();
    },
  };
}

/** What `ask` says within a bounded time; it gives the version. */
async function health(ask: () => Promise<{ readonly output: unknown }>): ReturnType<Database['health']> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, healthMilliseconds, undefined);
  });
  try {
    const answer = await Promise.race([ask(), late]);
    if (answer === undefined) return { healthy: false, migrated: true, detail: 'the database does not answer' };
    return { healthy: true, migrated: true, detail: `sqlite ${String(answer.output)}` };
  } catch (error) {
    const failure = asArtifactstoreError(error);
    return { healthy: false, migrated: failure.code !== 'database_not_migrated', detail: failure.message };
  } finally {
    clearTimeout(timer);
  }
}
