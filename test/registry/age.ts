import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../../src/config/config.ts';
import { execute } from '../postgres-server.ts';

type OfDatabase = Pick<Config, 'database'>;

/** Makes the last byte of an upload this old. */
export async function ageUpload(config: OfDatabase, id: string, seconds: number): Promise<void> {
  await change(config, { table: 'uploads', id, column: 'updated_at', value: ago(seconds), ends: ago(seconds - 86_400) });
}

/** Makes the time of a write session, and of its commit, have expired this many seconds ago. */
export async function ageSession(config: OfDatabase, id: string, seconds: number): Promise<void> {
  await change(config, { table: 'write_sessions', id, column: 'expires_at', value: ago(seconds), ends: ago(seconds) });
}

interface Change {
  readonly table: string;
  readonly id: string;
  readonly column: string;
  readonly value: string;
  /** What its detail then has as `expires_at`. */
  readonly ends: string;
}

async function change({ database }: OfDatabase, { table, id, column, value, ends }: Change): Promise<void> {
  if (database.kind === 'postgresql') {
    const detail = `jsonb_set(detail::jsonb, '{expires_at}', to_jsonb('${ends}'::text))::text`;
    await execute(database.url, `update ${table} set ${column} = '${value}', detail = ${detail} where id = '${id}'`);
    return;
  }
  assert.equal(database.kind, 'sqlite');
  using file = new DatabaseSync(database.path);
  file.exec('pragma busy_timeout = 10000');
  file.prepare(`update ${table} set ${column} = ?, detail = json_set(detail, '$.expires_at', ?) where id = ?`).run(value, ends, id);
}

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}
