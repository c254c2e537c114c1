import { blake3, utf8 } from '../../kernel/content/digest.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Context } from '../context.ts';
import type { SessionObjectRow, SessionRow } from '../operations/write-sessions/rows.ts';
import type { WriteHandle } from '../REGISTRY.ts';
import { discardPlaces } from './discard.ts';

// Where a store takes addresses, senders put bytes into it themselves: each object below a key that is read by nobody
// but a commit, which hashes what lies there and publishes it elsewhere. What comes late is nobody's.

type Parts = Pick<Context, 'backendIds' | 'database' | 'dataplane'>;
type Announced = Pick<SessionObjectRow, 'name' | 'sha256' | 'size_bytes' | 'state'>;

/** Objects of one transaction. */
const objectsAtOnce = 250;
/** Handles that are signed before others have a turn. */
const signedAtOnce = 250;

/** The handles of objects that are to be sent, by name; none of those that are sent to this server. */
export async function handlesOf(
  { backendIds, dataplane }: Pick<Parts, 'backendIds' | 'dataplane'>,
  row: SessionRow,
  objects: readonly Announced[],
): Promise<ReadonlyMap<string, WriteHandle>> {
  const handles = new Map<string, WriteHandle>();
  if (row.state !== 'open' || !invites({ backendIds, dataplane }, row)) return handles;
  let signed = 0;
  for (const object of objects) {
    if (object.state !== 'put') continue;
    if (++signed % signedAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    try {
      const address = await dataplane.segments.invite(placeOf(row), bytesOf(row, object), Date.parse(row.expires_at));
      if (address === undefined) continue;
      const { url, headers, expiresAtMilliseconds } = address;
      handles.set(object.name, { method: 'PUT', url, headers, expires_at: formatTimestamp(expiresAtMilliseconds) });
    } catch (error) {
      // Nothing can be signed now: the rest is sent to this server, if at all.
      if (!isArtifactstoreError(error, 'storage_unavailable')) throw error;
      return handles;
    }
  }
  return handles;
}

/** Looks for what senders wrote to the store since, and notes it; whether there was anything. */
export async function takeArrived(parts: Parts, row: SessionRow, objects: readonly Announced[]): Promise<boolean> {
  if (row.state !== 'open' || !invites(parts, row)) return false;
  const { database, dataplane } = parts;
  const sending = objects.filter(({ state }) => state === 'put').map((object) => ({ ...bytesOf(row, object), name: object.name }));
  const arrived = await dataplane.segments.arrived(placeOf(row), sending);
  for (let start = 0; start < arrived.length; start += objectsAtOnce) {
    const some = arrived.slice(start, start + objectsAtOnce).map(([{ name }, segment]) => ({ name, segment }));
    const places = await database.write('session.receive_arrived', { id: row.id, rounds: row.detail.rounds ?? 0, objects: some });
    await discardPlaces(parts, places);
  }
  return arrived.length > 0;
}

function invites(
  { backendIds, dataplane }: Pick<Parts, 'backendIds' | 'dataplane'>,
  { backend_id }: Pick<SessionRow, 'backend_id'>,
): boolean {
  return backendIds.includes(backend_id) && dataplane.segments.invites(backend_id);
}

function placeOf({ id, backend_id }: Pick<SessionRow, 'id' | 'backend_id'>): { readonly uploadId: string; readonly backendId: string } {
  return { uploadId: id, backendId: backend_id };
}

function bytesOf({ detail }: SessionRow, { name, sha256, size_bytes }: Announced) {
  // Of two names with the same content each has a key of its own, whatever the order in which they are read.
  const index = Buffer.from(blake3(utf8(name))).readUIntBE(0, 6);
  return { round: detail.rounds ?? 0, index, sizeBytes: size_bytes, digestSha256: sha256 };
}
