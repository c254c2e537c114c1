import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Context } from '../context.ts';
import { incident } from '../incident.ts';
import type { LocatedFile } from '../operations/locate.ts';
import type { OpenFile, OpenOptions } from '../REGISTRY.ts';
import { recordDamage } from './damage.ts';
import { storedObject } from './stored-object.ts';

type Location = LocatedFile['locations'][number];
type Place = Pick<Location, 'backend_id' | 'object_key' | 'generation'> & Partial<Pick<Location, 'settled'>>;

/** The file, unless its bytes are gone: `package_collected`. */
export function fileOf({ file, package_status, locations }: LocatedFile): LocatedFile['file'] {
  if (package_status === 'garbage_collected' || locations.length === 0) throw collected(file);
  return file;
}

/**
 * Opens a file's bytes where the first of them can be had: at its own locations, then wherever else the same bytes are
 * live, in any backend and for any file. Bytes that are damaged or missing are recorded, and brought back from where
 * they are good.
 */
export async function openLocated(context: Context, actor: string, located: LocatedFile, options: OpenOptions): Promise<OpenFile> {
  const file = fileOf(located);
  const content_address = file.content_address as ContentAddress;
  const range = options.range === undefined ? undefined : checkRange(options.range, file.size_bytes);
  const bad = new Set<string>();
  for (const { failed, backend_id } of located.locations) if (failed) bad.add(backend_id);
  const repair = () => {
    for (const backendId of bad) context.repair(actor, backendId, content_address);
  };

  const { size_bytes, digest_sha256 } = file;
  const objectAt = ({ backend_id, object_key, settled }: Place): StoredObject => ({
    ...storedObject({ backend_id, object_key, size_bytes, content_address, digest_sha256 }),
    settled: settled === true,
    ...(located.block_digests === null ? {} : { blockDigests: located.block_digests }),
  });

  async function openAt(place: Place): Promise<OpenFile> {
    const object = objectAt(place);
    const report = async (error: unknown) => {
      const answer = await reportFailure(context, actor, object, place.generation, error);
      if (isArtifactstoreError(answer, 'integrity_failure')) bad.add(place.backend_id);
      return answer;
    };
    try {
      const body = await context.dataplane.open(object, range, options.signal);
      const { bytes } = body;
      if (bytes !== undefined) return { file, ...(range === undefined ? {} : { range }), body, bytes };
      const reported = reporting(options.reuseChunks === true ? body : copied(body), async (error) => {
        const answer = await report(error);
        repair();
        return answer;
      });
      return { file, ...(range === undefined ? {} : { range }), body: reported };
    } catch (error) {
      throw await report(error);
    }
  }

  const tried = new Set<string>();
  const failures: ArtifactstoreError[] = [];

  /** Undefined where the bytes cannot be had now. */
  async function attempt(place: Place, open: (place: Place) => Promise<OpenFile | undefined>): Promise<OpenFile | undefined> {
    if (tried.has(nameOf(place))) return undefined;
    tried.add(nameOf(place));
    try {
      return await open(place);
    } catch (error) {
      if (!isArtifactstoreError(error) || !(error.code === 'integrity_failure' || error.code === 'storage_unavailable')) throw error;
      failures.push(error);
      return undefined;
    }
  }

  for (const place of located.locations) {
    const opened = place.failed ? undefined : await attempt(place, openAt);
    if (opened === undefined) continue;
    repair();
    return opened;
  }
  for (;;) {
    // Read again: what was located may have been moved since.
    const { live, failed } = await readCopies(context, content_address);
    for (const place of live) {
      const opened = await attempt(place, openAt);
      if (opened === undefined) continue;
      repair();
      return opened;
    }
    // Damage that was found may be over; it is looked for again before the reader is refused.
    for (const place of failed) {
      const opened = await attempt(place, async () =>
        (await context.recheck(actor, objectAt(place), place.generation)) ? await openAt(place) : undefined,
      );
      if (opened !== undefined) return opened;
    }
    if ([...live, ...failed].every((place) => tried.has(nameOf(place)))) break;
  }
  const now = await context.database.read('file.locate', { file_id: file.id });
  if (now === undefined || now.locations.length === 0) throw collected(file);
  // Bytes in a backend that is unavailable may be good: it is worth asking again.
  throw failures.find(({ code }) => code === 'storage_unavailable') ?? failures[0] ?? knownBad(located);
}

/** Where an object of these bytes is, as far as the log goes: good ones, and those that were found damaged. */
async function readCopies(
  { backendIds, database }: Context,
  content_address: string,
): Promise<{ readonly live: readonly Place[]; readonly failed: readonly Place[] }> {
  const objects = await database.read('object.copies', { content_address, backend_ids: backendIds });
  const placesOf = (state: string) =>
    objects
      .filter((object) => object.state === state)
      .map(({ backend_id, object_key, live_generation }) => ({
        backend_id,
        object_key: object_key!,
        generation: live_generation!,
      }));
  return { live: placesOf('live'), failed: placesOf('failed') };
}

function nameOf({ backend_id, object_key }: Place): string {
  return `${backend_id} ${object_key}`;
}

function knownBad({ file }: LocatedFile): ArtifactstoreError {
  return new ArtifactstoreError(
    'integrity_failure',
    `The stored bytes of "${file.relative_path}" (${file.content_address}) ` +
      'were found damaged or missing. Push the good bytes again to repair them.',
    { info: { content_address: file.content_address } },
  );
}

async function* copied(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield new Uint8Array(chunk);
}

async function* reporting(body: AsyncIterable<Uint8Array>, report: (error: unknown) => Promise<unknown>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw await report(error);
  }
}

/**
 * Bad or missing bytes are recorded in the log before the reader hears of them. Answers the error that the reader gets:
 * `storage_unavailable` where the store turns out not to be the right one.
 */
async function reportFailure(context: Context, actor: string, object: StoredObject, generation: number, error: unknown): Promise<unknown> {
  const missing = isArtifactstoreError(error, 'object_not_found');
  if (!missing && !isArtifactstoreError(error, 'integrity_failure')) return error;
  const { backendId, contentAddress } = object;
  try {
    await recordDamage(context, actor, object, generation, missing ? 'the bytes are not in the store' : (error as Error).message);
  } catch (cause) {
    if (isArtifactstoreError(cause, 'storage_unavailable')) return cause;
    context.onIncident(incident('damage_unrecorded', cause));
  }
  return missing
    ? new ArtifactstoreError('integrity_failure', `The bytes of ${contentAddress} are missing from backend "${backendId}".`, {
        info: { content_address: contentAddress },
        cause: error,
      })
    : error;
}

/** The inclusive range that is asked for, cut to the file. */
function checkRange(range: NonNullable<OpenOptions['range']>, size: number): { readonly first: number; readonly last: number } {
  const first = range.first < 0 ? Math.max(0, size + range.first) : range.first;
  const last = Math.min(range.last ?? size - 1, size - 1);
  if (!Number.isSafeInteger(first) || first > last)
    throw new ArtifactstoreError('range_not_satisfiable', `The file is ${size} bytes long; the range lies outside it.`, {
      field: 'range',
      info: { size_bytes: size },
    });
  return { first, last };
}

function collected({ package_id, relative_path }: LocatedFile['file']): ArtifactstoreError {
  return new ArtifactstoreError(
    'package_collected',
    `Package ${package_id} was collected: it had expired, and the bytes of "${relative_path}" are gone.`,
  );
}
