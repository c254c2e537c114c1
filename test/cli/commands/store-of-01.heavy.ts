import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { digestHex } from '../../../src/kernel/content/digest.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

const bytes = Buffer.from('kept by 0.1');
const hex = digestHex('blake3', bytes);
const object = `var/storage/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;

/** Tables as 0.1 has them, in the mode in which it opens them, or in SQLite's own. */
function writeDatabase(place: Workplace, mode: 'wal' | 'delete'): void {
  place.write({ 'var/': '' });
  const database = new DatabaseSync(place.path('var/artifactstore.db'));
  database.exec(`
    pragma journal_mode = ${mode};
    create table alembic_version (version_num varchar(32) not null primary key);
    insert into alembic_version values ('0001');
    create table events (sequence integer primary key, created_at text, event_type text, subject_kind text, subject_id text,
      actor text, payload blob, payload_digest blob);
    create table artifact_packages (id text primary key, name text, status text, manifest_digest text, last_event_sequence integer);
    create table artifact_files (id text primary key, package_id text, relative_path text);
    create table storage_locations (id text primary key, file_id text, backend_id text, content_address text, status text);
    create table retention_state (package_id text primary key, current_expires_at text, eligible_for_deletion integer);
    insert into artifact_packages values ('6b6b3f0e-5a0e-4b9e-8d27-3b1d1f0a0001', 'old', 'finalized', null, 1);
    insert into retention_state values ('6b6b3f0e-5a0e-4b9e-8d27-3b1d1f0a0001', '2020-01-01T00:00:00Z', 1);
  `);
  database.close();
}

/** All below `var` but the token that `dev` makes for itself, with the digest of its bytes and when they came. */
function found(place: Workplace): readonly (readonly [string, ...unknown[]])[] {
  return globSync('var/**', { cwd: place.directory, exclude: ['var/dev-token'] })
    .sort()
    .map((name) => {
      const status = statSync(place.path(name));
      return status.isFile() ? [name, status.mtimeMs, digestHex('sha256', readFileSync(place.path(name)))] : [name];
    });
}

describe('what 0.1 left at the places that this version uses', () => {
  const commands: readonly (readonly string[])[] = [
    ['migrate'],
    ['serve', '--port', '0'],
    ['dev', '--port', '0'],
    ['replay'],
    ['health'],
    ['events', 'verify'],
    ['retention', 'sweep'],
    ['retention', 'gc'],
    ['retention', 'gc', '--dry-run'],
    ['storage', 'verify', '--backend', 'local'],
    ['storage', 'verify', '--backend', 'local', '--orphans', '--delete'],
    ['storage', 'adopt', '--backend', 'local'],
    ['backup', 'copy'],
    ['uploads', 'list'],
  ];

  for (const mode of ['wal', 'delete'] as const)
    test(`a database (${mode}) is named, and no command changes it, its folder or its store`, async () => {
      using place = openWorkplace();
      writeDatabase(place, mode);
      place.write({ [object]: bytes });
      const before = found(place);
      for (const command of commands) {
        const { code, stdout, stderr } = await place.run(...command);
        assert.notEqual(code, 0, command.join(' '));
        assert.match(stdout + stderr, /is the database of artifactstore 0\.1/, command.join(' '));
        if (command[0] !== 'health') assert.match(stderr, /^hint: leave it as it is, .*`artifactstore import`/m, command.join(' '));
        assert.deepEqual(found(place), before, command.join(' '));
      }
    });

  test('a store under a new database is not written to, collected or adopted', async () => {
    using place = openWorkplace();
    place.write({ [object]: bytes });
    const stored = (): unknown => found(place).filter(([name]) => name.startsWith('var/storage'));
    const before = stored();
    await place.json('migrate');
    for (const command of [
      ['retention', 'gc'],
      ['storage', 'verify', '--backend', 'local', '--orphans', '--delete'],
      ['storage', 'adopt', '--backend', 'local'],
    ]) {
      const { code, stderr } = await place.run(...command);
      assert.notEqual(code, 0, command.join(' '));
      assert.deepEqual(stored(), before, command.join(' '));
      if (command[1] !== 'adopt')
        assert.match(stderr, /look like those of artifactstore 0\.1[\s\S]*`artifactstore import`/, command.join(' '));
    }
  });
});
