import type { Access } from './access.ts';
import type { Context } from './context.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { checkLimit } from './input.ts';
import type { Producers } from './REGISTRY.ts';

const list = ['producers'];

export function createProducers({ database, quotaOf }: Context, access: Access): Producers {
  return {
    async list(query = {}) {
      const { items, more } = await database.read('producer.list', {
        scope: access.reads,
        after: decodeCursor(list, query.cursor, 'producer'),
        limit: checkLimit(query),
      });
      return {
        items: items.map(({ producer, packages, files, bytes }) => {
          const { maximum_packages = null, maximum_bytes = null } = quotaOf(producer) ?? {};
          return { producer, packages, files, bytes, maximum_packages, maximum_bytes };
        }),
        next_cursor: more ? encodeCursor(list, items.at(-1)!.producer) : null,
      };
    },
  };
}
