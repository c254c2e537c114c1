import type { StoredObject } from '../dataplane/DATAPLANE.ts';
import type { ContentAddress } from '../kernel/address.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { Context } from './context.ts';
import type { LocatedFile } from './operations/files.ts';
import type { OpenFile, OpenOptions } from './REGISTRY.ts';

type Place = Pick<LocatedFile['locations'][number], 'backendId' | 'objectKey' | 'generation'>;

/**
 * Opens a file's bytes where the first of them can be had: at its own locations, then wherever else the same bytes are live, in any
 * backend and for any file. Bytes that are bad or missing are recorded, and brought back from where they are good.
 */
export async function openLocated(context: Context, actor: string, located: LocatedFile, options: OpenOptions): Promise<OpenFile> {
  const { file } = located;
  const content_address = file.content_address as ContentAddress;
  if (located.packageStatus === 'garbage_collected' || located.locations.length === 0) throw collected(located);
  const range = options.range === undefined ? undefined : checkRange(options.range, file.size_bytes);
  const bad = new Set(located.locations.filter(({ failed }) => failed).map(({ backendId }) => backendId));
  const repair = () => {
    for (const backendId of bad) context.repair(actor, backendId, content_address);
  };

  async function openAt(place: Place): Promise<OpenFile> {
    const object: StoredObject = {
      backendId: place.backendId,
      objectKey: place.objectKey,
      sizeBytes: file.size_bytes,
      contentAddress: content_address,
      digestSha256: file.digest_sha256,
      ...(located.blockDigests === null ? {} : { blockDigests: located.blockDigests }),
    };
    const report = async (error: unknown) => {
      const answer = await reportFailure(context, actor, object, place.generation, error);
      if (isArtifactstoreError(answer, 'integrity_failure')) bad.add(place.backendId);
      return answer;
    };
    try {
      const body = await context.dataplane.open(object, range, options.signal);
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
  let places: readonly Place[] = located.locations.filter(({ failed }) => !failed);
  for (;;) {
    for (const place of places) {
      tried.add(nameOf(place));
      try {
        const opened = await openAt(place);
        repair();
        return opened;
      } catch (error) {
        if (!isArtifactstoreError(error) || !(error.code === 'integrity_failure' || error.code === 'storage_unavailable')) throw error;
        failures.push(error);
      }
    }
    // Read anew: what was located may have been moved since.
    places = (await readCopies(context, content_address)).filter((place) => !tried.has(nameOf(place)));
    if (places.length === 0) break;
  }
  const now = await context.database.read('file.locate', { file_id: file.id });
  if (now === undefined || now.locations.length === 0) throw collected(located);
  // Bytes in a backend that is away may be good: it is worth asking again.
  throw failures.find(({ code }) => code === 'storage_unavailable') ?? failures[0] ?? knownBad(located);
}

/** Where an object of these bytes is live. */
async function readCopies({ backendIds, database }: Context, content_address: string): Promise<readonly Place[]> {
  const objects = await database.read('object.copies', { content_address, backendIds });
  return objects
    .filter(({ state }) => state === 'live')
    .map(({ backend_id, object_key, live_generation }) => ({
      backendId: backend_id,
      objectKey: object_key!,
      generation: live_generation!,
    }));
}

function nameOf({ backendId, objectKey }: Place): string {
  return `${backendId} ${objectKey}`;
}

function collected({ file }: LocatedFile): ArtifactstoreError {
  return new ArtifactstoreError(
    'package_collected',
    `Package ${file.package_id} was collected: its retention is over and the bytes of "${file.relative_path}" are gone.`,
  );
}

function knownBad({ file }: LocatedFile): ArtifactstoreError {
  return new ArtifactstoreError(
    'integrity_failure',
    `The stored bytes of "${file.relative_path}" (${file.content_address}) are known to be bad. Push the good bytes again to repair them.`,
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

/** Bad or missing bytes are recorded in the log before the reader hears of them. Answers the error that the reader gets. */
async function reportFailure(context: Context, actor: string, object: StoredObject, generation: number, error: unknown): Promise<unknown> {
  const missing = isArtifactstoreError(error, 'object_not_found');
  if (!missing && !isArtifactstoreError(error, 'integrity_failure')) return error;
  const { backendId: backend_id, objectKey: object_key, contentAddress: content_address } = object;
  const reason = missing ? 'the bytes are not in the store' : (error as Error).message;
  const news = await context.database
    .write('object.fail', { actor, backend_id, content_address, generation, reason })
    .catch((cause: unknown) => context.onIncident({ message: 'a bad object could not be recorded', error: cause }));
  // No news is an object that was released while it was read, or known already.
  if (news !== false)
    context.onIncident({
      message: 'a stored object is not what it should be',
      error,
      detail: { backend_id, object_key, content_address, recorded: news === true },
    });
  return missing
    ? new ArtifactstoreError('integrity_failure', `The bytes of ${content_address} are missing from backend "${backend_id}".`, {
        info: { content_address },
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
      field: 'Range',
      info: { size_bytes: size },
    });
  return { first, last };
}
