import type { Database } from '../../database/DATABASE.ts';
import { blockBytes } from '../../dataplane/DATAPLANE.ts';
import { onceATurn } from '../../runtime/once-a-turn.ts';
import type { LocatedFile } from '../operations/locate.ts';
import type { RegistryOperations } from '../operations/operations.ts';
import type { FileTarget } from '../REGISTRY.ts';

type RegistryDatabase = Database<RegistryOperations>;

/**
 * Finds a file to read and where its bytes are, as of a moment after the call. What is not known it reads from the
 * database as the caller may use it.
 */
export type Locate = (target: FileTarget, database: Pick<RegistryDatabase, 'read'>) => Promise<LocatedFile | undefined>;

const keptFiles = 4_096;

/**
 * Keeps what was found of small files, of which many are asked for in a second, for as long as nobody has committed
 * anything. The version is taken before the read and compared at each use: where it is the same, the snapshot that was
 * read is still the database's last, so what is kept is what reading again would give. One look at the version does for
 * all who ask in one turn of the event loop.
 */
export function createLocate({ version }: Pick<RegistryDatabase, 'version'>): Locate {
  const versionOfTurn = version === undefined ? undefined : onceATurn(version);
  const kept = new Map<string, LocatedFile>();
  let keptVersion: number | undefined;
  return async (target, database) => {
    const current = await versionOfTurn?.();
    if (current !== keptVersion) {
      kept.clear();
      keptVersion = current;
    }
    const key = keyOf(target);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const located = await database.read('file.locate', target);
    if (located !== undefined && current !== undefined && current === keptVersion && located.file.size_bytes <= blockBytes) {
      if (kept.size >= keptFiles) kept.delete(kept.keys().next().value!);
      kept.set(key, located);
    }
    return located;
  };
}

/** Neither ids nor addresses hold a slash. */
function keyOf(target: FileTarget): string {
  if ('file_id' in target) return target.file_id;
  return 'content_address' in target ? target.content_address : `${target.package_id}/${target.relative_path}`;
}
