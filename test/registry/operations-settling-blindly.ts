import { rememberDead } from '../../src/registry/operations/objects.ts';
import { type RegistryOperations, operations as real } from '../../src/registry/operations/operations.ts';

/**
 * The registry's operations with the safeguard taken out: what a settler no longer finds held is deleted, without a
 * look whether its key is live.
 */
export const operations: RegistryOperations = {
  ...real,
  writes: {
    ...real.writes,
    async 'held.settle'(transaction, input) {
      const keys = new Set((await transaction.sql.selectFrom('held_objects').select('object_key').execute()).map((row) => row.object_key));
      const dead = input.items.filter(({ object_key }) => !keys.has(object_key));
      await real.writes['held.settle'](transaction, input);
      await rememberDead(transaction, dead);
      return dead;
    },
  },
};
