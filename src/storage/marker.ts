import { ArtifactstoreError } from '../kernel/error.ts';
import { jsonObjectOf } from '../kernel/format/json-text.ts';
import type { Storage } from './STORAGE.ts';

/** The reserved key under which a store says whose it is. No object ever has it. */
export const markerKey = 'registry.json';

/** What a store says of itself: the registry whose bytes lie there, and under which name that registry knows it. */
export interface Marker {
  readonly format: 1;
  readonly registry_id: string;
  readonly backend_id: string;
  readonly created_at: string;
}

/**
 * Writes the marker where there is none; false where there is one already, of whomever. Makes a directory that is not
 * there.
 */
export async function writeMarker(storage: Storage, marker: Marker): Promise<boolean> {
  const { format, registry_id, backend_id, created_at } = marker;
  const text = JSON.stringify({ format, registry_id, backend_id, created_at }, undefined, 2);
  return await storage.create(markerKey, Buffer.from(`${text}\n`));
}

/** The marker of a store; undefined where there is none. What lies there and is no marker is `storage_unavailable`. */
export async function readMarker(storage: Storage): Promise<Marker | undefined> {
  const found = await storage.get(markerKey);
  if (found === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of found.body) {
    size += chunk.byteLength;
    if (size > maximumBytes) break;
    chunks.push(Uint8Array.from(chunk));
  }
  const marker = size > maximumBytes ? undefined : parse(Buffer.concat(chunks).toString());
  if (marker === undefined) throw noMarker(storage);
  return marker;
}

/** Something else lies where the marker belongs: whose store it is cannot be told. */
export function noMarker({ id }: Storage): ArtifactstoreError {
  return new ArtifactstoreError(
    'storage_unavailable',
    `What lies at ${markerKey} in the storage backend "${id}" is not the marker of a registry that this version can read.`,
    {
      info: {
        object: 'unknown',
        hint:
          'look what it is. If the store is the right one, move that file elsewhere; if objects ' +
          `are there, \`artifactstore storage adopt --backend ${id}\` then writes a new one`,
      },
    },
  );
}

function parse(text: string): Marker | undefined {
  const marker = jsonObjectOf(text);
  if (marker === undefined) return undefined;
  const { format, registry_id, backend_id, created_at } = marker;
  if (format !== 1 || typeof registry_id !== 'string' || typeof backend_id !== 'string' || typeof created_at !== 'string') return undefined;
  return { format, registry_id, backend_id, created_at };
}

const maximumBytes = 65_536;
