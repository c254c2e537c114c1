import { parseObjectKey } from '../kernel/content/key.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { StoreName } from './kind.ts';
import { type Marker, markerKey, noMarker, readMarker } from './marker.ts';
import { certifyPrefix } from './object-key.ts';
import type { Storage } from './STORAGE.ts';

/** What the log says of a backend. */
export interface LogView {
  readonly registryId: string;
  /** Whether an object ever lay there, as far as the log goes. */
  readonly known: boolean;
  /** Whether a marker was ever written there. */
  readonly recorded: boolean;
  /** Where it was asked for. */
  readonly liveObjects: number;
}

/** What a store is to a registry. `identity` tells its marker from another one, in a backend that is a place. */
export type Verdict =
  | { readonly kind: 'ours'; readonly identity: string | undefined }
  /** Empty, or not even there, and the log knows of nothing there. */
  | { readonly kind: 'new' }
  | { readonly kind: 'doubt'; readonly identity: string | undefined; readonly error: ArtifactstoreError };

/**
 * Judges whose store this is; makes and changes nothing. Throws when it cannot be told: the store or the log does not
 * answer.
 */
export async function judgeStore(storage: Storage, name: StoreName, look: (counted: boolean) => Promise<LogView>): Promise<Verdict> {
  for (;;) {
    const verdict = await judgeMarker(storage, name, look);
    if (verdict !== undefined) return verdict;
    const unmarked = await judgeUnmarked(storage, name, look);
    // Somebody who opens it at the same moment may have written a marker since, and objects after it.
    if (unmarked.kind === 'new' || (await find(storage)) === undefined) return unmarked;
  }
}

async function judgeMarker(
  storage: Storage,
  { where, setting }: StoreName,
  look: (counted: boolean) => Promise<LogView>,
): Promise<Verdict | undefined> {
  const { id } = storage;
  const found = await find(storage);
  if (found === undefined) return undefined;
  const { marker, identity } = found;
  const { registryId } = await look(false);
  if (marker.registry_id === registryId && marker.backend_id === id) return { kind: 'ours', identity };
  return doubt(
    storage,
    identity,
    `The store at ${where} belongs to registry ${marker.registry_id}, as its backend ` +
      `"${marker.backend_id}"; this is registry ${registryId}, backend "${id}". Nothing there is touched.`,
    `look at ${setting} and at ARTIFACTSTORE_DATABASE_URL: one of them names another registry's`,
  );
}

async function judgeUnmarked(
  storage: Storage,
  { where, setting }: StoreName,
  look: (counted: boolean) => Promise<LogView>,
): Promise<Verdict> {
  const { id, place } = storage;
  const log = await look(true);
  if (log.known || log.recorded)
    return doubt(
      storage,
      undefined,
      `The store at ${where} has no marker of this registry, ${log.liveObjects === 0 ? 'which has used it before' : `and ${counted(log.liveObjects, 'live object')} should lie there`}: ${place === undefined ? 'is it the right one' : 'is it mounted'}?`,
      `${place === undefined ? '' : 'mount it, or '}look at ${setting}. ` +
        `Where it is the right one and only its ${markerKey} is missing, as in a ` +
        `store of version 0.2: \`artifactstore storage adopt --backend ${id}\``,
    );
  if (place !== undefined && !(await place.there())) return { kind: 'new' };
  let count = 0;
  let own = 0;
  for await (const { key } of storage.list('')) {
    if (key.startsWith(certifyPrefix)) continue;
    count += 1;
    if (parseObjectKey(key) !== undefined) own += 1;
    if (count >= maximumCount) break;
  }
  if (count === 0) return { kind: 'new' };
  const many = `${count >= maximumCount ? 'at least ' : ''}${counted(count, 'object')}`;
  const kind = own === 0 ? '' : '; they look like those of artifactstore 0.1, or of another registry that wrote no marker';
  return doubt(
    storage,
    undefined,
    `At ${where} lie ${many} of which this registry (${log.registryId}) knows nothing${kind}. Nothing there is touched.`,
    'look at ARTIFACTSTORE_DATABASE_URL, which may name another registry, and at ' +
      `${setting}: a store of 0.1 stays as it is, and this version needs an empty ` +
      `place, into which \`artifactstore import\` copies. To adopt what is there: \`artifactstore storage adopt --backend ${id}\``,
  );
}

async function find(storage: Storage): Promise<{ readonly marker: Marker; readonly identity: string | undefined } | undefined> {
  const identity = await storage.place?.identify(markerKey);
  if (storage.place !== undefined && identity === undefined) return undefined;
  const marker = await readMarker(storage);
  if (marker !== undefined) return { marker, identity };
  // A directory, a link or a pipe is no object, and is in the marker's place anyway.
  if (identity !== undefined && (await storage.place?.identify(markerKey)) === identity) throw noMarker(storage);
  return undefined;
}

function doubt({ id }: Storage, identity: string | undefined, message: string, hint: string): Verdict {
  const info = { object: 'unknown', backend_id: id, hint };
  return { kind: 'doubt', identity, error: new ArtifactstoreError('storage_unavailable', message, { info }) };
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

const maximumCount = 10_000;
