import { readObjects } from '../../src/registry/operations/objects.ts';
import { type RegistryOperations, operations as real } from '../../src/registry/operations/operations.ts';

/**
 * The registry's operations with the safeguard taken out: a move claims whatever generation it is told, live or not.
 */
export const operations: RegistryOperations = {
  ...real,
  writes: {
    ...real.writes,
    async 'move.locations'(transaction, input) {
      const named = input.items.map(({ content_address }) => ({ backend_id: input.scope.to, content_address }));
      const states = await readObjects(transaction.sql, named);
      const items = input.items.map((item) => {
        const { current } = states.get(`${input.scope.to} ${item.content_address}`)!;
        const told = current.state === 'live' ? current.live_generation : current.next_generation;
        return item.verified === null ? item : { ...item, verified: told };
      });
      return await real.writes['move.locations'](transaction, { ...input, items });
    },
  },
};
