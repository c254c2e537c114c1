import type { StoredObject } from '../dataplane/DATAPLANE.ts';
import { type ContentAddress, parseAddress } from '../kernel/address.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { parseId } from '../kernel/id.ts';
import { parseRelativePath } from '../kernel/path.ts';
import type { Context } from './context.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { createIngest } from './ingest.ts';
import { checkAnnotations, checkLimit, checkMediaType } from './input.ts';
import type { LocatedFile } from './operations/files.ts';
import type { Attachment, Files, FileTarget, OpenFile, OpenOptions } from './REGISTRY.ts';

const maximumAttachments = 1000;

export function createFiles(context: Context, actor: string): Files {
  const { database } = context;
  const ingest = createIngest(context, actor);
  return {
    add: (packageId, file) => ingest.add(parseId(packageId, 'package_id'), file),
    addMany: (packageId, files) => ingest.addMany(parseId(packageId, 'package_id'), files),

    async attach(packageId, items) {
      const id = parseId(packageId, 'package_id');
      const checked = checkAttachments(items);
      const backendId = await ingest.openPackage(id);
      const results = await database.write('file.attach', { actor, packageId: id, backendId, items: checked });
      return results.map((result, index) => {
        const { relative_path } = checked[index]!;
        if (result === null) return { relative_path, result: 'missing' };
        return { relative_path, result: result.created ? 'created' : 'exists', file: result.record };
      });
    },

    async list(packageId, query = {}) {
      const id = parseId(packageId, 'package_id');
      const limit = checkLimit(query);
      const bound = ['files', id];
      const rows = await database.read('file.list', {
        packageId: id,
        limit: limit + 1,
        after: decodeCursor(bound, query.cursor, 'string'),
      });
      if (rows === undefined) throw new ArtifactstoreError('package_not_found', `There is no package ${id}.`, { field: 'package_id' });
      const page = rows.slice(0, limit);
      return { items: page, next_cursor: rows.length > limit ? encodeCursor(bound, page.at(-1)!.relative_path) : null };
    },

    async get(id) {
      return await database.read('file.get', { id: parseId(id, 'file_id') });
    },

    async find(packageId, relativePath) {
      return await database.read('file.find', {
        packageId: parseId(packageId, 'package_id'),
        relativePath: parseRelativePath(relativePath, 'relative_path'),
      });
    },

    async withDigest(contentAddress, query = {}) {
      const address = parseAddress(contentAddress, 'digest');
      const limit = checkLimit(query);
      const bound = ['files_with_digest', address];
      const rows = await database.read('file.with_digest', {
        contentAddress: address,
        limit: limit + 1,
        after: decodeCursor(bound, query.cursor, 'number'),
      });
      const items = rows.slice(0, limit);
      return {
        items: items.map(({ record }) => record),
        next_cursor: rows.length > limit ? encodeCursor(bound, items.at(-1)!.sequence) : null,
      };
    },

    async open(target, options = {}) {
      const located = await context.locate(checkTarget(target));
      return located === undefined ? undefined : await openLocated(context, actor, located, options);
    },
  };
}

async function openLocated(context: Context, actor: string, located: LocatedFile, options: OpenOptions): Promise<OpenFile> {
  const { file } = located;
  if (located.packageStatus === 'garbage_collected' || located.locations.length === 0)
    throw new ArtifactstoreError(
      'package_collected',
      `Package ${file.package_id} was collected: its retention is over and the bytes of "${file.relative_path}" are gone.`,
    );
  const range = options.range === undefined ? undefined : checkRange(options.range, file.size_bytes);
  let failure: unknown;
  for (const location of located.locations) {
    if (location.failed) continue;
    const object: StoredObject = {
      backendId: location.backendId,
      objectKey: location.objectKey,
      sizeBytes: file.size_bytes,
      contentAddress: file.content_address as ContentAddress,
      digestSha256: file.digest_sha256,
      ...(located.blockDigests === null ? {} : { blockDigests: located.blockDigests }),
    };
    const report = (error: unknown) => reportFailure(context, actor, object, location.generation, error);
    try {
      const body = await context.dataplane.open(object, range, options.signal);
      return { file, ...(range === undefined ? {} : { range }), body: reporting(body, report) };
    } catch (error) {
      failure = await report(error);
    }
  }
  throw (
    failure ??
    new ArtifactstoreError(
      'integrity_failure',
      `The stored bytes of "${file.relative_path}" (${file.content_address}) are known to be bad. Push the good bytes again to repair them.`,
      { info: { content_address: file.content_address } },
    )
  );
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

function checkTarget(target: FileTarget): FileTarget {
  if ('file_id' in target) return { file_id: parseId(target.file_id, 'file_id') };
  if ('content_address' in target) return { content_address: parseAddress(target.content_address, 'content_address') };
  return {
    package_id: parseId(target.package_id, 'package_id'),
    relative_path: parseRelativePath(target.relative_path, 'relative_path'),
  };
}

function checkAttachments(items: readonly Attachment[]) {
  if (items.length === 0 || items.length > maximumAttachments)
    throw new ArtifactstoreError('malformed_request', `"items" holds 1 to ${maximumAttachments} files.`, { field: '/items' });
  const paths = new Set<string>();
  return items.map((item, index) => {
    const at = `/items/${index}`;
    const relative_path = parseRelativePath(item.relative_path, `${at}/relative_path`);
    if (paths.has(relative_path))
      throw new ArtifactstoreError('malformed_request', `"${relative_path}" is named twice.`, { field: `${at}/relative_path` });
    paths.add(relative_path);
    if (!Number.isSafeInteger(item.size_bytes) || item.size_bytes < 0)
      throw new ArtifactstoreError('malformed_request', '"size_bytes" must be a whole number, 0 or more.', { field: `${at}/size_bytes` });
    return {
      relative_path,
      content_address: parseAddress(item.content_address, `${at}/content_address`),
      size_bytes: item.size_bytes,
      media_type: checkMediaType(item.media_type),
      annotations: checkAnnotations(item.annotations),
    };
  });
}
