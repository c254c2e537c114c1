import type { Database, Operations, OperationsModule } from './DATABASE.ts';
import type { WaitForServer } from './postgres/wait.ts';
import type { DatabaseTarget } from './target.ts';

export interface OpenDatabaseOptions {
  readonly operations: OperationsModule;
  /** Brings the schema up to date before the first operation. */
  readonly migrate?: boolean;
  /**
   * Nothing is written and nothing is made: also on read-only media. `write`, `replay` and `migrate` answer
   * `database_unavailable`.
   */
  readonly readOnly?: boolean;
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
