import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../../../src/config/config.ts';
import { execute } from '../../postgres-server.ts';

/** Makes the last byte of an upload so old. */
export async function ageUpload({ database }: Pick<Config, 'database'>, id: string, seconds: number): Promise<void> {
  const past = new Date(Date.now() - seconds * 1000).toISOString();
  const ends = new Date(Date.now() + (86_400 - seconds) * 1000).toISOString();
  if (database.kind === 'postgresql') {
    const detail = `jsonb_set(detail::jsonb, '{expires_at}', to_jsonb('${ends}'::text))::text`;
    await execute(database.url, `update uploads set updated_at = '${past}', detail = ${detail} where id = '${id}'`);
    return;
  }
  assert.equal(database.kind, 'sqlite');
  using file = new DatabaseSync(database.path);
  file.exec('pragma busy_timeout = 10000');
  file.prepare("update uploads set updated_at = ?, detail = json_set(detail, '$.expires_at', ?) where id = ?").run(past, ends, id);
}
