import { parseAddress } from '../kernel/content/address.ts';
import { parseRelativePath, parseRelativePaths } from '../kernel/content/path.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseId } from '../kernel/id.ts';
import { type Access, noPackage } from './access.ts';
import { attachFiles } from './attach.ts';
import { representativeOf, withClaims } from './claims.ts';
import type { Context } from './context.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { createIngest } from './ingest.ts';
import { beyond, checkAnnotations, checkLimit, checkMediaType } from './input.ts';
import { limits } from './limits.ts';
import { lookFor } from './look-for.ts';
import { fileOf, openLocated } from './objects/open-located.ts';
import type { AttachItem } from './operations/attach.ts';
import type { FilesWithDigest, ListFiles } from './operations/files.ts';
import type { LocatedFile } from './operations/locate.ts';
import type { Looked } from './operations/page.ts';
import { pageOfMoved } from './page-of-moved.ts';
import type { Attachment, Files, FileTarget, PageQuery } from './REGISTRY.ts';

const { attachments: maximumAttachments, namedFiles: maximumNamed } = limits;

export function createFiles(context: Context, access: Access): Files {
  const { database } = context;
  const { actor } = access;
  const ingest = createIngest(context, actor);

  async function writable(packageId: string): Promise<string> {
    const id = parseId(packageId, 'package_id');
    await access.requirePackage(id, 'write');
    return id;
  }

  async function locate(target: FileTarget): Promise<LocatedFile | undefined> {
    const checked = checkTarget(target);
    // What is kept of an address is kept for all: whoever may not read everything asks for a file of its own.
    const own =
      'content_address' in checked && access.reads !== 'everything'
        ? await representativeOf(database, access, checked.content_address)
        : checked;
    const located = own === undefined ? undefined : await context.locate(own, database);
    return located !== undefined && access.sees(located.producer) ? located : undefined;
  }

  async function listed<F extends { readonly last: string | undefined; readonly more: boolean }>(
    packageId: string,
    query: PageQuery,
    read: (input: ListFiles) => Promise<F | undefined>,
  ) {
    const id = parseId(packageId, 'package_id');
    await access.requirePackage(id, 'read');
    const limit = checkLimit(query);
    const bound = ['files', id];
    const found = await read({ package_id: id, limit, after: decodeCursor(bound, query.cursor, 'path') });
    if (found === undefined) throw noPackage(id);
    return { found, next_cursor: found.more ? encodeCursor(bound, found.last!) : null };
  }

  async function holding<F extends Looked>(contentAddress: string, query: PageQuery, read: (input: FilesWithDigest) => Promise<F>) {
    const address = parseAddress(contentAddress, 'digest');
    const limit = checkLimit(query);
    const bound = ['files_with_digest', address];
    const start = decodeCursor(bound, query.cursor, 'sequence');
    const { next, ...holding } = await lookFor(limit, start, ({ position, ...begun }) =>
      read({ ...begun, after: position, content_address: address, scope: access.reads }),
    );
    return { ...holding, next_cursor: next === null ? null : encodeCursor(bound, next) };
  }

  return {
    add: async (packageId, file) => await ingest.add(await writable(packageId), file),
    addMany: async (packageId, files) => await ingest.addMany(await writable(packageId), files),

    async attach(packageId, items, options) {
      const id = await writable(packageId);
      const checked = await withClaims(database, access, checkAttachments(items));
      return await attachFiles(context, actor, ingest, id, checked, options);
    },

    async list(packageId, query = {}) {
      const { found, next_cursor } = await listed(packageId, query, async (input) => {
        const page = await database.read('file.list', input);
        return page && { ...page, last: page.items.at(-1)?.relative_path };
      });
      return { items: found.items, next_cursor };
    },

    async encodedList(packageId, query = {}) {
      const { found, next_cursor } = await listed(packageId, query, (input) => database.read('file.list_encoded', input));
      return pageOfMoved({ found: [found], item_count: found.item_count, next_cursor });
    },

    async get(id) {
      const found = await database.read('file.get', { id: parseId(id, 'file_id') });
      return found !== undefined && (await access.seesPackage(found.package_id)) ? found : undefined;
    },

    async find(packageId, relativePath) {
      const id = parseId(packageId, 'package_id');
      const path = parseRelativePath(relativePath, 'relative_path');
      const found = await database.read('file.find', { package_id: id, relative_path: path });
      return found !== undefined && (await access.seesPackage(id)) ? found : undefined;
    },

    async findMany(packageId, relativePaths, { annotations } = {}) {
      const id = parseId(packageId, 'package_id');
      const paths = checkPaths(relativePaths);
      await access.requirePackage(id, 'read');
      const found = await database.read('file.locate_many', { package_id: id, relative_paths: paths, annotations });
      const located = new Map(found.map((each) => [each.file.relative_path, each]));
      const missing = paths.find((path) => !located.has(path));
      if (missing !== undefined && (await database.read('package.get', { id })) === undefined) throw noPackage(id);
      if (missing !== undefined)
        throw new ArtifactstoreError('file_not_found', `The package has no file "${missing}".`, {
          field: `/relative_paths/${paths.indexOf(missing)}`,
        });
      return paths.map((path) => {
        const each = located.get(path)!;
        return { file: fileOf(each), open: (options = {}) => openLocated(context, actor, each, options) };
      });
    },

    async withDigest(contentAddress, query = {}) {
      const { found, next_cursor } = await holding(contentAddress, query, (input) => database.read('file.with_digest', input));
      return { items: found.flatMap(({ items }) => items), next_cursor };
    },
    encodedWithDigest: async (contentAddress, query = {}) =>
      pageOfMoved(await holding(contentAddress, query, (input) => database.read('file.with_digest_encoded', input))),

    async stat(target) {
      const located = await locate(target);
      return located === undefined ? undefined : fileOf(located);
    },

    async open(target, options = {}) {
      const located = await locate(target);
      return located === undefined ? undefined : await openLocated(context, actor, located, options);
    },
  };
}

function checkTarget(target: FileTarget): FileTarget {
  if ('file_id' in target) return { file_id: parseId(target.file_id, 'file_id') };
  if ('content_address' in target) return { content_address: parseAddress(target.content_address, 'content_address') };
  return {
    package_id: parseId(target.package_id, 'package_id'),
    relative_path: parseRelativePath(target.relative_path, 'relative_path'),
  };
}

function checkPaths(relativePaths: readonly string[]): readonly string[] {
  if (relativePaths.length === 0 || relativePaths.length > maximumNamed)
    throw new ArtifactstoreError('invalid_value', `"relative_paths" holds 1 to ${maximumNamed} paths.`, {
      field: '/relative_paths',
      ...(relativePaths.length > maximumNamed ? beyond('named_files') : {}),
    });
  return parseRelativePaths(relativePaths, '/relative_paths');
}

function checkAttachments(items: readonly Attachment[]): readonly AttachItem[] {
  if (items.length === 0 || items.length > maximumAttachments)
    throw new ArtifactstoreError('malformed_request', `"items" holds 1 to ${maximumAttachments} files.`, {
      field: '/items',
      ...(items.length > maximumAttachments ? beyond('attachments') : {}),
    });
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
      media_type: checkMediaType(item.media_type, `${at}/media_type`),
      annotations: checkAnnotations(item.annotations, `${at}/annotations`),
    };
  });
}
