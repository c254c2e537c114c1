import type { Database, OpenOptions, Operations } from './DATABASE.ts';
import type { WaitForServer } from './postgres/wait.ts';
import type { DatabaseTarget } from './target.ts';

export interface OpenDatabaseOptions extends OpenOptions {
  /** A server that is not up yet is waited for; an embedded database is up. */
  readonly wait?: WaitForServer;
}

/** Opens the dialect that the target names; each is loaded only when it is used. */
export async function openDatabase<O extends Operations>(target: DatabaseTarget, options: OpenDatabaseOptions): Promise<Database<O>> {
  switch (target.kind) {
    case 'sqlite': {
      const { openSqlite } = await import('./sqlite/sqlite.ts');
      return await openSqlite<O>({ path: target.path, ...options });
    }
    case 'postgresql': {
      if (options.wait !== undefined) {
        const { waitForServer } = await import('./postgres/wait.ts');
        await waitForServer({ url: target.url, readOnly: options.readOnly === true }, options.wait);
      }
      const { openPostgres } = await import('./postgres/postgres.ts');
      return await openPostgres<O>({ connectionString: target.url, ...options });
    }
  }
}
