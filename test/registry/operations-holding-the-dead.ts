import { type RegistryOperations, operations as real } from '../../src/registry/operations/operations.ts';

/** The registry's operations with the safeguard taken out: what is held stays so when its key dies in a release. */
export const operations: RegistryOperations = {
  ...real,
  writes: {
    ...real.writes,
    async 'collect.release'(transaction, input) {
      const before = await transaction.sql.selectFrom('held_objects').selectAll().execute();
      const released = await real.writes['collect.release'](transaction, input);
      const after = new Set((await transaction.sql.selectFrom('held_objects').select('sequence').execute()).map((row) => row.sequence));
      const gone = before.filter(({ sequence }) => !after.has(sequence));
      if (gone.length > 0) await transaction.sql.insertInto('held_objects').values(gone).execute();
      return released;
    },
  },
};
