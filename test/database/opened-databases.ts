import type { ConformanceDatabase } from '../../src/database/conformance.ts';

/** Opens a database as often as is asked for, for `databaseConformance`, and closes them all. */
export async function openDatabases(open: () => Promise<ConformanceDatabase>): Promise<{
  readonly database: ConformanceDatabase;
  another(): Promise<ConformanceDatabase>;
  close(): Promise<void>;
}> {
  const opened: ConformanceDatabase[] = [];
  const another = async (): Promise<ConformanceDatabase> => {
    const database = await open();
    opened.push(database);
    return database;
  };
  return {
    database: await another(),
    another,
    async close() {
      for (const database of opened) await database.close();
    },
  };
}
