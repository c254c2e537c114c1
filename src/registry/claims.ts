import type { Access } from './access.ts';
import type { Context } from './context.ts';
import type { AttachItem } from './operations/attach.ts';
import type { Representative } from './operations/readable-files.ts';

type Reads = Pick<Context['database'], 'read'>;

/**
 * A file of a producer that may be read, for bytes that files of many others may have too: one whose bytes are live
 * where there is one. It is looked for in stretches, each a read of its own that waits for its turn.
 */
export async function representativeOf(
  { read }: Reads,
  { reads: scope }: Pick<Access, 'reads'>,
  contentAddress: string,
): Promise<{ readonly file_id: string; readonly live: boolean } | undefined> {
  let after: number | null = null;
  let last: string | undefined;
  for (;;) {
    const found: Representative = await read('file.representative', { content_address: contentAddress, scope, after });
    if (found.live !== null) return { file_id: found.live, live: true };
    last = found.last ?? last;
    if (found.reached === null) return last === undefined ? undefined : { file_id: last, live: false };
    after = found.reached;
  }
}

/** Addresses that one read looks up. */
const lookedUp = 250;

/** Each item with the files that may be read and have its bytes: it is attached only by one of them. */
export async function withClaims(
  database: Reads,
  access: Pick<Access, 'reads'>,
  items: readonly AttachItem[],
): Promise<readonly AttachItem[]> {
  if (access.reads === 'everything') return items;
  const claims = new Map<string, readonly string[]>();
  const addresses = [...new Set(items.map(({ content_address }) => content_address))];
  for (let start = 0; start < addresses.length; start += lookedUp) {
    const found = await database.read('file.claims', { addresses: addresses.slice(start, start + lookedUp), scope: access.reads });
    for (const [address, files] of found.files) claims.set(address, files);
    for (const address of found.undecided) {
      const file = await representativeOf(database, access, address);
      if (file?.live === true) claims.set(address, [file.file_id]);
    }
  }
  return items.map((item) => ({ ...item, claims: claims.get(item.content_address) ?? [] }));
}
