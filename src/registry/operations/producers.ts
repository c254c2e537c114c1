import type { Snapshot } from '../../database/DATABASE.ts';
import { type Scope, scopeTest } from '../../kernel/access.ts';
import type { ViewTables } from '../../kernel/views/view.ts';

const rowsAtOnce = 1_000;

/**
 * What producers of the scope have, in the bytewise order of their names, from `after` on; and whether there are
 * others.
 */
export async function listProducers(
  { sql: queries }: Snapshot,
  input: { readonly scope: Scope; readonly after: string | null; readonly limit: number },
): Promise<{ readonly items: readonly ViewTables['producer_usage'][]; readonly more: boolean }> {
  const { limit } = input;
  const sees = scopeTest(input.scope);
  const items: ViewTables['producer_usage'][] = [];
  for (let { after } = input; ; ) {
    let query = queries.selectFrom('producer_usage').selectAll().orderBy('producer').limit(rowsAtOnce);
    if (after !== null) query = query.where('producer', '>', after);
    const rows = await query.execute();
    for (const row of rows) {
      if (!sees(row.producer)) continue;
      if (items.length === limit) return { items, more: true };
      items.push(row);
    }
    if (rows.length < rowsAtOnce) return { items, more: false };
    after = rows.at(-1)!.producer;
  }
}
