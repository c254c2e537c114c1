import type { BackupPlace } from '../../backup/BACKUP.ts';
import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import { toHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { brokenLink, chainStart, type LogHead, type StoredEvent } from '../../kernel/log/event.ts';
import { fold } from '../../kernel/views/fold.ts';
import type { ViewTables } from '../../kernel/views/view.ts';
import { storedObject } from '../objects/stored-object.ts';

type ObjectRow = Readonly<ViewTables['storage_objects']>;

/** An object that a copied log calls live, at its place in the backend. */
export type LiveObject = StoredObject;

/** The head that a copy says it ends at. */
export interface CopiedHead {
  readonly sequence: number;
  /** `blake3:<hex>`. */
  readonly chain_digest: string;
}

/**
 * Reads a copied log from its first event to its head and throws `integrity_failure` where it is not one whole chain.
 */
export async function* readChain(
  place: Pick<BackupPlace, 'log' | 'directory'>,
  end: CopiedHead,
  signal?: AbortSignal,
): AsyncIterable<readonly StoredEvent[]> {
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  for await (const events of place.log.read(0, end.sequence)) {
    signal?.throwIfAborted();
    for (const event of events) {
      const broken = brokenLink(head, event);
      if (broken !== undefined) throw brokenCopy(place.directory, head, broken);
      head = event;
    }
    yield events;
  }
  if (chainText(head) !== end.chain_digest)
    throw brokenCopy(place.directory, head, 'its last chain digest is not the one that backup.json names');
}

/** What a copied log calls live at its head, failed objects too, each once for each backend. */
export async function readLive(
  place: Pick<BackupPlace, 'log' | 'directory'>,
  end: CopiedHead,
  signal?: AbortSignal,
  onProgress?: (events: number) => void,
): Promise<readonly LiveObject[]> {
  const live = new Map<string, ObjectRow>();
  for await (const events of readChain(place, end, signal)) {
    for (const event of events)
      if (changesObjects(event.event_type))
        for (const change of fold(event)) {
          if (change.table !== 'storage_objects') continue;
          const { backend_id, content_address } = change.kind === 'upsert' || change.kind === 'insert' ? change.row : change.key;
          const name = `${backend_id} ${content_address}`;
          const row = live.get(name);
          const next =
            row !== undefined && change.kind !== 'insert' ? { ...row, ...change.set } : change.kind === 'upsert' ? change.row : row;
          if (next === undefined) continue;
          if (next.live_generation === null) live.delete(name);
          else live.set(name, next);
        }
    onProgress?.(events.at(-1)?.sequence ?? 0);
  }
  return Array.from(live.values(), storedObject);
}

/** The addresses that an event makes live. */
export function madeLive(event: StoredEvent): readonly string[] {
  if (!changesObjects(event.event_type)) return [];
  return fold(event).flatMap((change) => {
    if (change.table !== 'storage_objects' || change.kind === 'insert' || change.set.live_generation == null) return [];
    return [change.kind === 'upsert' ? change.row.content_address : change.key.content_address];
  });
}

export function chainText(head: LogHead): string {
  return `blake3:${toHex(head.chain_digest)}`;
}

/** Of all event types: others are not worth being folded for it. */
function changesObjects(eventType: string): boolean {
  return eventType === 'v1.file.ingested' || eventType.startsWith('v1.storage.');
}

function brokenCopy(directory: string, head: LogHead, what: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'integrity_failure',
    `The log in the backup ${directory} is good up to event ${head.sequence}, and then ${what}.`,
    { info: { sequence: head.sequence, hint: 'use another backup, or make a new one in an empty directory' } },
  );
}
