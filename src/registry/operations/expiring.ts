import { sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import { type Scope, scopeTest } from '../../kernel/access.ts';
import type { Package } from '../REGISTRY.ts';
import { type DuePackage, expiredPackages } from './due-packages.ts';
import { readPackages } from './packages.ts';
import { fitting, type LookedAt } from './page.ts';

export interface ListExpiring {
  readonly limit: number;
  /** That the page has already. */
  readonly bytes: number;
  /** Behind which to continue. */
  readonly after: DuePackage | null;
  /** Expire at this time or before it. */
  readonly until: string;
  readonly scope: Scope;
}

/** Those that one read looks at for whoever does not see all. */
const lookedAt = 2_000;

/** Those that expire first come first. For a narrow scope it looks at a part of what is there. */
export async function listExpiring(
  { sql: database }: Snapshot,
  { limit, bytes: begun, after, until, scope }: ListExpiring,
): Promise<LookedAt<Package, DuePackage>> {
  const most = scope === 'everything' ? limit + 1 : lookedAt;
  const rows = await expiredPackages(database, until, after)
    .select(['p.producer', sql<number>`octet_length(p.metadata)`.as('size')])
    .limit(most)
    .execute();
  const sees = scopeTest(scope);
  const due = rows.map((row) => ({ ...row, expires_at: row.expires_at! }));
  const seen = due.filter(({ producer }) => sees(producer)).slice(0, limit + 1);
  const { count, more, bytes } = fitting(seen, limit, begun);
  const shown = seen.slice(0, count);
  const records = await readPackages(
    database,
    shown.map(({ package_id }) => package_id),
  );
  return {
    items: shown.map(({ package_id }) => records.get(package_id)!),
    item_count: count,
    last: positionOf(shown.at(-1)),
    more,
    reached: more || rows.length < most ? null : positionOf(due.at(-1)),
    bytes,
  };
}

function positionOf(row: DuePackage | undefined): DuePackage | null {
  return row === undefined ? null : { package_id: row.package_id, expires_at: row.expires_at };
}
