import { randomFillSync } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { uuidv7 } from '../src/kernel/id.ts';
import { formatTimestamp } from '../src/kernel/time.ts';
import { metadataTerm } from '../src/kernel/views/fold.ts';

/** Paths to ask for. */
export interface Sample {
  readonly downloads: readonly string[];
  readonly packages: readonly string[];
}

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/**
 * One with 1 % of all packages, a hundred with 1 % of them together, ten thousand with one package each, and others.
 */
export const producers: readonly string[] = ['one', ...named('lab-', 100), ...named('solo-', 10_000), ...named('team-lab-', 9_899)];

/**
 * Straight into the views, as a log of a year and of eleven events for each package would: nothing is said of files.
 */
export async function fillPackages(path: string, packages: number): Promise<void> {
  const database = new DatabaseSync(path);
  database.exec('pragma synchronous = off; pragma cache_size = -1000000');
  database.exec('begin immediate');
  const insert = database.prepare(
    `insert into artifact_packages (id, name, producer, subject, retention_class, status, metadata, metadata_schema_slug, created_at,
      created_by, finalized_at, manifest_digest, file_count, total_bytes, live_locations, changed_at, created_sequence, finalized_sequence)
      values (?, 'nightly', ?, ?, ?, ?, ?, null, ?, 'bench', null, null, 9, 90000, 0, ?, ?, null)`,
  );
  const insertTerm = database.prepare('insert into package_metadata (term, created_sequence, package_id) values (?, ?, ?)');
  const start = Date.now() - 365 * 24 * 3_600_000;
  for (let index = 0; index < packages; index++) {
    const milliseconds = start + index * 31_000;
    const at = formatTimestamp(milliseconds);
    const sequence = 1_000 + index * 11;
    const id = uuidv7(milliseconds, randomFillSync(new Uint8Array(10)));
    // As often for each producer: not in step with `producerOf`.
    const mixed = Math.imul(index, 2_654_435_761) >>> 16;
    const status = mixed % 20 === 7 ? 'abandoned' : mixed % 50 === 3 ? 'created' : 'finalized';
    const build = index % 20_000;
    const retention = mixed % 3 === 0 ? 'raw-evidence' : 'transient';
    insert.run(id, producerOf(index), `component-${mixed % 100}`, retention, status, `{"build":${build}}`, at, at, sequence);
    insertTerm.run(metadataTerm('build', build), sequence, id);
  }
  database.exec('commit');
  database.close();
}

function producerOf(index: number): string {
  // Of a hundred in a row one is of each of the three kinds that see 1 %.
  const round = Math.floor(index / 100);
  switch (index % 100) {
    case 11:
      return 'one';
    case 42:
      return `lab-${round % 100}`;
    case 77:
      return `solo-${round % 10_000}`;
    default:
      return `team-lab-${(index * 7) % 9_899}`;
  }
}
