import assert from 'node:assert/strict';
import type { Kysely } from '#kysely';
import type { Schema } from '../../../src/database/schema.ts';
import { inScope, type ProducerPattern, type Scope } from '../../../src/kernel/access.ts';
import { metadataTerm } from '../../../src/kernel/views/fold.ts';
import type { ViewTables } from '../../../src/kernel/views/view.ts';
import { type ListPackages, listPackages } from '../../../src/registry/operations/package-list.ts';
import { createRandom, type Random } from '../random.ts';

type PackageRow = ViewTables['artifact_packages'];

const packages = 6_000;
const startOfTime = Date.parse('2026-01-01T00:00:00.000Z');
const all: Omit<ListPackages, 'limit' | 'before' | 'scope'> = {
  bytes: 0,
  name: null,
  producer: null,
  subject: null,
  retention_class: null,
  status: null,
  manifest_digest: null,
  created_after: null,
  created_before: null,
  finalized_after: null,
  finalized_before: null,
  terms: [],
};

/** The first have producers of their own, and lie far below the others. */
const early = 1_500;
const emptyStretch = 1e12;

/** Packages of some hundred producers, straight into the views; a few old ones have producers of their own. */
export async function fillPackages(database: Kysely<Schema>, seed: number): Promise<readonly PackageRow[]> {
  const random = createRandom(seed);
  const rows: PackageRow[] = [];
  for (let index = 0; index < packages; index++) {
    const at = new Date(startOfTime + index * 60_000).toISOString();
    const sealed = random(10) < 7;
    rows.push({
      id: `package-${index}`,
      name: `name ${random(9) === 0 ? 'often' : index % 300}`,
      producer:
        index < 20
          ? `old-${index % 3}`
          : index < early
            ? `early-${random(50)}`
            : random(3) === 0
              ? 'busy'
              : `team-${random(12)}-app-${random(30)}`,
      subject: `subject ${random(5)}`,
      retention_class: random(2) === 0 ? 'transient' : 'raw-evidence',
      status: sealed ? 'finalized' : 'created',
      metadata: '{}',
      metadata_schema_slug: null,
      created_at: at,
      created_by: 'a',
      finalized_at: sealed ? at : null,
      manifest_digest: sealed ? digestOf(index) : null,
      file_count: 0,
      total_bytes: 0,
      live_locations: 0,
      changed_at: at,
      created_sequence: 5 + index * 11 + (index < early ? 0 : emptyStretch),
      finalized_sequence: null,
    });
  }
  for (let start = 0; start < rows.length; start += 100)
    await database
      .insertInto('artifact_packages')
      .values(rows.slice(start, start + 100))
      .execute();
  const terms = rows.map(({ id, created_sequence }, index) => ({ term: termOf(index), created_sequence, package_id: id }));
  for (let start = 0; start < rows.length; start += 500)
    await database
      .insertInto('package_metadata')
      .values(terms.slice(start, start + 500))
      .execute();
  return rows;
}

/** In a registry each is of one package. Here many have the same, so that every way through the lists meets some. */
function digestOf(index: number): string {
  return `blake3:${(index % 50).toString(16).padStart(64, '0')}`;
}

function termOf(index: number): string {
  return metadataTerm('build', index % 700);
}

/** Lists of random scopes and filters, page by page, against a filter over all rows. */
export async function compareLists(database: Kysely<Schema>, rows: readonly PackageRow[], seed: number, rounds: number): Promise<void> {
  const random = createRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const scope = randomScope(random);
    const build = random(4) === 0 ? random(705) : undefined;
    const asked: ListPackages = {
      ...all,
      scope,
      limit: 1 + random(400),
      before: null,
      name: random(4) === 0 ? `name ${random(2) === 0 ? 'often' : random(302)}` : null,
      producer: random(8) === 0 ? 'busy' : null,
      subject: random(3) === 0 ? `subject ${random(6)}` : null,
      status: random(3) === 0 ? 'finalized' : null,
      manifest_digest: random(6) === 0 ? digestOf(random(52)) : null,
      created_before: random(5) === 0 ? new Date(startOfTime + random(packages) * 60_000).toISOString() : null,
      finalized_after: random(5) === 0 ? new Date(startOfTime + random(packages) * 60_000).toISOString() : null,
      terms: build === undefined ? [] : [[metadataTerm('build', build), metadataTerm('build', String(build))]],
    };
    const expected = rows
      .filter(
        (row, index) =>
          inScope(scope, row.producer) &&
          (asked.name ?? row.name) === row.name &&
          (asked.producer ?? row.producer) === row.producer &&
          (asked.subject ?? row.subject) === row.subject &&
          (asked.status ?? row.status) === row.status &&
          (asked.manifest_digest ?? row.manifest_digest) === row.manifest_digest &&
          (asked.created_before === null || row.created_at < asked.created_before) &&
          (asked.finalized_after === null || (row.finalized_at !== null && row.finalized_at >= asked.finalized_after)) &&
          (build === undefined || index % 700 === build),
      )
      .map(({ id }) => id)
      .reverse();
    assert.deepEqual((await everyPage(database, asked)).ids, expected, JSON.stringify(asked));
  }
}

/** Follows the pages as the registry does; also how many reads that took. */
export async function everyPage(
  database: Kysely<Schema>,
  asked: ListPackages,
): Promise<{ readonly ids: readonly string[]; readonly reads: number }> {
  const ids: string[] = [];
  let before: number | null = null;
  for (let reads = 1; ; reads++) {
    const { items, last, more, reached } = await listPackages({ sql: database }, { ...asked, before });
    assert.ok(items.length <= asked.limit);
    ids.push(...items.map(({ id }) => id));
    const next: number | null = more ? last : reached;
    if (next === null) return { ids, reads };
    assert.ok(before === null || next < before, 'it goes down');
    before = next;
  }
}

/** What a narrow scope costs that a wide one does not: its few packages are the oldest of all. */
export async function findOldOnes(database: Kysely<Schema>): Promise<void> {
  for (const scope of [[{ glob: 'old-*' }], [{ exact: 'old-0' }, { exact: 'old-1' }, { exact: 'old-2' }], [{ glob: '*ld-*' }]]) {
    const { ids, reads } = await everyPage(database, { ...all, scope, limit: 100, before: null });
    assert.deepEqual([ids.length, reads], [20, 1]);
  }
  const none = await everyPage(database, { ...all, scope: [{ glob: 'nobody-*' }], limit: 100, before: null });
  assert.deepEqual(none, { ids: [], reads: 1 });
}

/** However far apart the packages of many producers are, no statement looks at what is between them. */
export async function passOverOthers(database: Kysely<Schema>): Promise<void> {
  const scope = Array.from({ length: 60 }, (_, index) => ({ exact: `early-${index}` }));
  let statements = 0;
  const counted = database.withPlugin({
    transformQuery({ node }) {
      statements += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const { items, more } = await listPackages({ sql: counted }, { ...all, scope, limit: 100, before: null });
  assert.deepEqual([items.length, more], [100, true]);
  assert.ok(statements <= 11, `it took ${statements} statements`);
}

function randomScope(random: Random): Scope {
  if (random(12) === 0) return 'everything';
  return Array.from({ length: random(4) === 0 ? 40 : 1 + random(3) }, (): ProducerPattern => {
    switch (random(8)) {
      case 0:
        return { exact: 'busy' };
      case 1:
        return { glob: `team-${random(12)}-*` };
      case 2:
        return { glob: `*-app-${random(30)}` };
      case 3:
        return { glob: 'old-?' };
      case 4:
        return { exact: `nobody-${random(9)}` };
      case 5:
        return { glob: `early-${random(5)}*` };
      case 6:
        return { exact: `early-${random(50)}` };
      default:
        return { exact: `team-${random(12)}-app-${random(30)}` };
    }
  });
}
