import type { Access } from '../access.ts';
import { representativeOf } from '../claims.ts';
import type { Context } from '../context.ts';
import type { NewSessionObject } from '../REGISTRY.ts';

/** Addresses that one read looks up. */
const lookedUp = 250;

/**
 * The names of objects whose bytes the registry has, as its log says of files that may be read: bytes that were hashed
 * when they came, that are live, and that nobody has found damaged. Of another length they are other bytes.
 */
export async function presentAmong(
  { database }: Pick<Context, 'database'>,
  access: Pick<Access, 'reads'>,
  objects: readonly Required<NewSessionObject>[],
): Promise<ReadonlySet<string>> {
  const files = new Map<string, string>();
  const addresses = [...new Set(objects.map(addressOf))];
  for (let start = 0; start < addresses.length; start += lookedUp) {
    const found = await database.read('file.claims', { addresses: addresses.slice(start, start + lookedUp), scope: access.reads });
    for (const [address, [file]] of found.files) if (file !== undefined) files.set(address, file);
    for (const address of found.undecided) {
      const file = await representativeOf(database, access, address);
      if (file?.live === true) files.set(address, file.file_id);
    }
  }
  const sizes = new Map<string, number>();
  const found = [...files];
  for (let start = 0; start < found.length; start += lookedUp) {
    const some = found.slice(start, start + lookedUp);
    const bytes = new Map(await database.read('session.sizes', { file_ids: some.map(([, id]) => id) }));
    for (const [address, id] of some) if (bytes.has(id)) sizes.set(address, bytes.get(id)!);
  }
  return new Set(objects.filter((object) => sizes.get(addressOf(object)) === object.size_bytes).map(({ name }) => name));
}

export function addressOf({ sha256 }: Pick<NewSessionObject, 'sha256'>): string {
  return `sha256:${sha256}`;
}
