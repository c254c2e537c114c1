import { describe, test } from 'node:test';
import type { Check, ConformanceDatabase, OpenedDatabase } from './conformance/cases.ts';
import { concurrencyCases } from './conformance/concurrency-cases.ts';
import { conformanceOperationsUrl } from './conformance/operations.ts';
import { readingCases, replayCases, waitingCases } from './conformance/reading-cases.ts';
import { setCases } from './conformance/set-cases.ts';
import { failureCases, schemaCases, writingCases } from './conformance/writing-cases.ts';
import type { OperationsModule } from './DATABASE.ts';

export { assertIntactLog, assertReplayable, type ConformanceDatabase, type OpenedDatabase } from './conformance/cases.ts';

/**
 * What every dialect must do, for `node --test`. `open` gives a store that is empty and not yet migrated, with these
 * operations; it is called once for each case. An outside author calls this from a test file of their own.
 */
export function databaseConformance(name: string, open: (operations: OperationsModule) => Promise<OpenedDatabase>): void {
  const opened = async (body: (database: ConformanceDatabase, store: OpenedDatabase) => Promise<void>): Promise<void> => {
    const store = await open({ url: conformanceOperationsUrl });
    try {
      await body(store.database, store);
    } finally {
      await store.close();
    }
  };
  const check: Check = (title, body) => {
    test(title, () =>
      opened(async (database, store) => {
        await database.migrate();
        await body(database, store);
      }),
    );
  };

  describe(`database: ${name}`, () => {
    schemaCases((title, body) => {
      test(title, () => opened(body));
    });
    writingCases(check);
    failureCases(check);
    setCases(check);
    concurrencyCases(check);
    readingCases(check);
    replayCases(check);
    waitingCases(check);
  });
}
