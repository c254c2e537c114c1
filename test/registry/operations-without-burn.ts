import { parseObjectKey } from '../../src/kernel/content/key.ts';
import { type RegistryOperations, operations as real } from '../../src/registry/operations/operations.ts';

/**
 * The registry's operations with the safeguard taken out: orphans are handed to deletion without their generation being
 * burnt.
 */
export const operations: RegistryOperations = {
  ...real,
  writes: {
    ...real.writes,
    async 'collect.burn_orphans'(transaction, { backend_id: backendId, keys }) {
      const rows = await transaction.sql
        .selectFrom('storage_objects')
        .select('object_key')
        .where('live_generation', 'is not', null)
        .execute();
      const live = new Set(rows.map((row) => row.object_key));
      return keys
        .filter((key) => parseObjectKey(key) !== undefined && !live.has(key))
        .map((object_key) => ({ backend_id: backendId, object_key }));
    },
  },
};
