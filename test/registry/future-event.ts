import { DatabaseSync } from 'node:sqlite';

/** Makes the last event one of the future, as a machine whose clock is ahead would have left it. */
export function moveLastEvent(path: string, createdAt: string): void {
  using database = new DatabaseSync(path);
  const triggers = database.prepare("select name, sql from sqlite_master where type = 'trigger' and tbl_name = 'events'").all();
  for (const { name } of triggers) database.exec(`drop trigger ${String(name)}`);
  database.prepare('update events set created_at = ? where sequence = (select max(sequence) from events)').run(createdAt);
  for (const { sql } of triggers) database.exec(String(sql));
}
