import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../../../src/config/config.ts';
import { execute } from '../../postgres-server.ts';

/** Makes the time of a write session, and of its commit, be over since so many seconds. */
export async function ageSession({ database }: Pick<Config, 'database'>, id: string, seconds: number): Promise<void> {
  const ends = new Date(Date.now() - seconds * 1000).toISOString();
  if (database.kind === 'postgresql') {
    const detail = `jsonb_set(detail::jsonb, '{expires_at}', to_jsonb('${ends}'::text))::text`;
    await execute(database.url, `update write_sessions set expires_at = '${ends}', detail = ${detail} where id = '${id}'`);
    return;
  }
  assert.equal(database.kind, 'sqlite');
  using file = new DatabaseSync(database.path);
  file.exec('pragma busy_timeout = 10000');
  file.prepare("update write_sessions set expires_at = ?, detail = json_set(detail, '$.expires_at', ?) where id = ?").run(ends, ends, id);
}
