import type { EventRecord } from '../api/records.ts';
import { shortAddress } from '../format.ts';

/** Stored bytes that are damaged or missing, as the log says. */
export interface FailedObject {
  readonly backend_id: string;
  readonly content_address: string;
  readonly reason: string;
  /** Of the event that says so. */
  readonly sequence: number;
  readonly created_at: string;
}

export const failureTypes = ['v1.storage.location_verified', 'v1.storage.object_repaired'] as const;

/** What is wrong with stored bytes. `either`: the log does not say which. */
export type Defect = 'missing' | 'damaged' | 'either';

/** Which defect the log names, and how the bytes differ, in short; `detail` is empty where nothing is to say. */
export function defectOf({ reason }: Pick<FailedObject, 'reason'>): { readonly defect: Defect; readonly detail: string } {
  if (/\bnot in the store$/.test(reason)) return { defect: 'missing', detail: '' };
  if (reason === '') return { defect: 'either', detail: '' };
  // Its own address is told beside it.
  const how = reason.replace(/^The stored object \S+ is damaged: /, '');
  return { defect: 'damaged', detail: how.replaceAll(/\b[0-9a-f]{64}\b/g, shortAddress) };
}

/** What failed and was not found good or repaired later; the last first. */
export function failedObjects(
  events: readonly Pick<EventRecord, 'sequence' | 'created_at' | 'event_type' | 'payload'>[],
): readonly FailedObject[] {
  const failed = new Map<string, FailedObject>();
  for (const { sequence, created_at, event_type, payload } of events.toSorted((left, right) => left.sequence - right.sequence)) {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) continue;
    const { backend_id, content_address, result, reason } = payload as Readonly<Record<string, unknown>>;
    if (typeof backend_id !== 'string' || typeof content_address !== 'string') continue;
    const key = `${backend_id} ${content_address}`;
    failed.delete(key);
    if (event_type === 'v1.storage.location_verified' && result === 'failed')
      failed.set(key, { backend_id, content_address, reason: typeof reason === 'string' ? reason : '', sequence, created_at });
  }
  return [...failed.values()].reverse();
}
