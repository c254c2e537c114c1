import { readFileSync } from 'node:fs';

/**
 * How many transactions lie in the write-ahead log of a SQLite database, each of which waited for a sync of its own:
 * frames that say how long the file is after them (sqlite.org/fileformat2.html, section 4.1). Of a log that was not
 * copied into the file meanwhile.
 */
export function commitsIn(path: string): number {
  const log = readFileSync(`${path}-wal`);
  const frameBytes = 24 + log.readUInt32BE(8);
  const salt = log.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + frameBytes <= log.length && salt.equals(log.subarray(at + 8, at + 16)); at += frameBytes)
    if (log.readUInt32BE(at + 4) > 0) commits += 1;
  return commits;
}
