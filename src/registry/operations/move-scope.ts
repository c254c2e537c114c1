import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';

/**
 * What is to be moved: the live locations in `from` of packages that are neither abandoned nor collected, and that
 * match.
 */
export interface MoveScope {
  readonly from: string;
  readonly to: string;
  /** Null for any, as the others. */
  readonly producer: string | null;
  readonly retention_class: string | null;
  readonly package_id: string | null;
}

export interface MovableCounts {
  readonly objects: number;
  readonly bytes: number;
  readonly locations: number;
  /** Those that are not live at the target. */
  readonly copy_objects: number;
  readonly copy_bytes: number;
  /** Those that nobody needs in `from` any more, once it is done. */
  readonly delete_objects: number;
  readonly delete_bytes: number;
}

/** How much there is to move now. */
export async function countMovable(snapshot: Snapshot, input: { readonly scope: MoveScope }): Promise<MovableCounts> {
  const { scope } = input;
  const objects = snapshot.sql
    .selectFrom('storage_objects as o')
    .innerJoin('storage_locations as l', (join) =>
      join.onRef('l.backend_id', '=', 'o.backend_id').onRef('l.content_address', '=', 'o.content_address'),
    )
    .innerJoin('artifact_packages as p', 'p.id', 'l.package_id')
    .leftJoin('storage_objects as t', (join) => join.onRef('t.content_address', '=', 'o.content_address').on('t.backend_id', '=', scope.to))
    .where('o.backend_id', '=', scope.from)
    .where('o.live_generation', 'is not', null)
    .where('l.state', '<>', sql.lit('deleted'))
    .groupBy(['o.content_address', 'o.size_bytes', 't.state'])
    .select(({ fn, eb }) => [
      'o.size_bytes as size',
      't.state as state',
      fn.countAll<number>().as('needed'),
      fn.sum<number>(eb.case().when(matches(eb, scope)).then(sql.lit(1)).else(sql.lit(0)).end()).as('going'),
    ]);
  const of = (what: string, condition = '1 = 1') =>
    sql<number>`coalesce(sum(case when ${sql.raw(condition)} then ${sql.raw(what)} else 0 end), 0)`;
  const [absent, free] = ["coalesce(state, 'none') <> 'live'", 'going = needed'];
  const row = await snapshot.sql
    .selectFrom(objects.as('objects'))
    .where('going', '>', 0)
    .select([
      of('1').as('objects'),
      of('size').as('bytes'),
      of('going').as('locations'),
      of('1', absent).as('copy_objects'),
      of('size', absent).as('copy_bytes'),
      of('1', free).as('delete_objects'),
      of('size', free).as('delete_bytes'),
    ])
    .executeTakeFirstOrThrow();
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])) as unknown as MovableCounts;
}

/** The conditions on the package `p`. */
export function matches(
  { and, eb }: Pick<ExpressionBuilder<{ p: Schema['artifact_packages'] }, 'p'>, 'and' | 'eb'>,
  scope: MoveScope,
): ExpressionWrapper<{ p: Schema['artifact_packages'] }, 'p', SqlBool> {
  const conditions = [eb('p.status', 'in', ['created', 'finalized'])];
  if (scope.producer !== null) conditions.push(eb('p.producer', '=', scope.producer));
  if (scope.retention_class !== null) conditions.push(eb('p.retention_class', '=', scope.retention_class));
  if (scope.package_id !== null) conditions.push(eb('p.id', '=', scope.package_id));
  return and(conditions);
}
