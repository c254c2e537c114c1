import type { JsonObject } from '../../src/kernel/format/json.ts';
import { costlySchemas, manyReferences } from '../registry/metadata/costly-schemas.ts';
import type { Attack, Attacker } from './attacker.ts';

const about = { name: 'n', producer: 'attack', subject: 's', retention_class: 'transient' };

/** What a writer can do with metadata schemas. */
export const bySchemas: Readonly<Record<string, Attack>> = {
  ...Object.fromEntries(
    Object.entries(costlySchemas).map(([name, { schema, metadata }]): [string, Attack] => [
      `a schema that costs: ${name}`,
      async (attacker) => {
        await register(attacker, name, schema);
        await Promise.all(Array.from({ length: 8 }, () => use(attacker, name, metadata)));
      },
    ]),
  ),
  '700 references to a large definition': async (attacker) => {
    await Promise.all([0, 1, 2].map((more) => register(attacker, `references-${more}`, manyReferences(700, 200 + more))));
  },
  'a schema as wide as may be sent': async (attacker) => {
    await register(attacker, 'wide', manyReferences(1, 12_000));
  },
  '25 large schemas in turn': async (attacker) => {
    for (let which = 0; which < 25 && !attacker.signal.aborted; which++) {
      const slug = `large-${which}`;
      await register(attacker, slug, { ...manyReferences(1, 300), title: slug });
      await use(attacker, slug, { q0: {} });
    }
  },
  'schemas that lead back to themselves': async (attacker) => {
    await register(attacker, 'itself', { $ref: '#' });
    await register(attacker, 'deep', nested(1500));
    await register(attacker, 'late', { $id: 'https://example.org/late', properties: { a: { $id: 'a', anyOf: [{ $ref: '#' }] } } });
    await use(attacker, 'late', { a: 1 });
  },
};

async function register({ call }: Attacker, slug: string, json_schema: JsonObject): Promise<void> {
  await call('POST', '/metadata-schemas', { slug: `attack-${slug}`, json_schema });
}

async function use({ call }: Attacker, slug: string, metadata: JsonObject): Promise<void> {
  await call('POST', '/packages', { ...about, metadata, metadata_schema_slug: `attack-${slug}` });
}

function nested(levels: number): JsonObject {
  let schema: JsonObject = {};
  for (let level = 0; level < levels; level++) schema = { not: schema };
  return schema;
}
