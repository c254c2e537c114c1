import { sql } from '#kysely';
import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { canonicalJson, type JsonObject } from '../../kernel/format/json.ts';
import { keptObject } from '../../kernel/format/json-text.ts';
import type { ViewTables } from '../../kernel/views/view.ts';
import type { Created, MetadataSchema } from '../REGISTRY.ts';
import { fitting, type Stretch } from './page.ts';

export async function registerMetadataSchema(
  transaction: Transaction,
  input: { readonly actor: string; readonly slug: string; readonly json_schema: JsonObject },
): Promise<Created<MetadataSchema>> {
  const { actor, slug, json_schema } = input;
  const found = await getMetadataSchema(transaction, { slug });
  if (found !== undefined) {
    if (canonicalJson(found.json_schema) !== canonicalJson(json_schema))
      throw new ArtifactstoreError(
        'metadata_schema_conflict',
        `The metadata schema "${slug}" is registered with other content; schemas never change, so register a new slug.`,
        { field: '/slug' },
      );
    return { record: found, created: false };
  }
  transaction.append({
    event_type: 'v1.metadata_schema.registered',
    subject_kind: 'metadata_schema',
    subject_id: slug,
    actor,
    payload: { slug, json_schema },
  });
  return { record: { slug, json_schema, created_at: transaction.now, created_by: actor }, created: true };
}

export async function getMetadataSchema(snapshot: Snapshot, input: { readonly slug: string }): Promise<MetadataSchema | undefined> {
  const row = await snapshot.sql.selectFrom('metadata_schemas').selectAll().where('slug', '=', input.slug).executeTakeFirst();
  return row === undefined ? undefined : schemaRecord(row);
}

/** In the order of registration. */
export async function listMetadataSchemas(
  snapshot: Snapshot,
  input: { readonly limit: number; readonly after: number | null },
): Promise<Stretch<{ readonly sequence: number; readonly record: MetadataSchema }>> {
  let query = snapshot.sql.selectFrom('metadata_schemas').orderBy('created_sequence');
  if (input.after !== null) query = query.where('created_sequence', '>', input.after);
  const size = sql<number>`octet_length(json_schema)`.as('size');
  const sizes = await query
    .select(size)
    .limit(input.limit + 1)
    .execute();
  const { count, more } = fitting(sizes, input.limit);
  const rows = count === 0 ? [] : await query.selectAll().limit(count).execute();
  return { items: rows.map((row) => ({ sequence: row.created_sequence, record: schemaRecord(row) })), more };
}

function schemaRecord(row: ViewTables['metadata_schemas']): MetadataSchema {
  return {
    slug: row.slug,
    json_schema: keptObject(row.json_schema),
    created_at: row.created_at,
    created_by: row.created_by,
  };
}
