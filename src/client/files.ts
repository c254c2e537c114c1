import { parseAddress } from '../kernel/content/address.ts';
import { parseRelativePath, parseRelativePaths, pathToUrl } from '../kernel/content/path.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { encodePage } from '../kernel/format/encoded-page.ts';
import { parseId } from '../kernel/id.ts';
import { formatAnnotationsField } from '../protocol/annotations-field.ts';
import type { Created, File, Files, FileTarget, FoundFile, NewFile, Page, PageQuery } from '../registry/REGISTRY.ts';
import { openDownload } from './download.ts';
import { sendable } from './wire/body.ts';
import { encodeMultipart } from './wire/multipart.ts';
import { created, getJson, jsonRequest, lookUp, queryText } from './wire/request.ts';
import {
  addedShape,
  attachedItemsShape,
  attachedResultsShape,
  fileShape,
  filesShape,
  foundFilesShape,
  packageShape,
} from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

export function remoteFiles(transport: Transport): Files {
  const filesOf = (packageId: string) => `/packages/${parseId(packageId, 'package_id')}/files`;
  const fileAt = (packageId: string, path: string) => `${filesOf(packageId)}/${pathToUrl(parseRelativePath(path, 'relative_path'))}`;
  const get = async (id: string): Promise<File | undefined> =>
    await lookUp(getJson(transport, `/files/${parseId(id, 'file_id')}`, fileShape), 'file_not_found');
  const withDigest = async (contentAddress: string, query: PageQuery = {}): Promise<Page<FoundFile>> =>
    await getJson(transport, `/files${queryText({ digest: parseAddress(contentAddress, 'digest'), ...query })}`, foundFilesShape);

  const addMany = async (packageId: string, files: AsyncIterable<NewFile>): Promise<readonly Created<File>[]> => {
    const path = filesOf(packageId);
    const { contentType, body } = await encodeMultipart(files);
    const answer = await transport.exchange(
      { method: 'POST', path, headers: { 'content-type': contentType }, body, repeatable: true },
      (answer) => answer.json(addedShape),
    );
    const { items, existing = [] } = answer;
    const before = new Set(existing);
    return items.map((record) => ({ record, created: !before.has(record.relative_path) }));
  };

  const list: Files['list'] = async (packageId, query = {}) =>
    await getJson(transport, `${filesOf(packageId)}${queryText({ ...query })}`, filesShape);

  return {
    get,
    withDigest,
    addMany,
    find,

    async add(packageId, file) {
      const path = fileAt(packageId, file.relative_path);
      const annotations = Object.entries(file.annotations ?? {});
      // A header's dictionary knows no keys that start with a digit; a multipart body does.
      if (annotations.some(([key]) => !/^[a-z]/.test(key))) return (await addMany(packageId, one(file)))[0]!;
      return await transport.exchange(
        {
          method: 'PUT',
          path,
          headers: {
            'content-type': file.media_type ?? 'application/octet-stream',
            ...(annotations.length === 0 ? {} : { 'artifactstore-annotations': formatAnnotationsField(Object.fromEntries(annotations)) }),
            ...digestHeader(file.digests),
          },
          body: await sendable(file.body, file.size_bytes),
          repeatable: true,
          signal: file.signal,
        },
        created(fileShape),
      );
    },

    async attach(packageId, items, { signal, records = true } = {}) {
      const headers = records ? {} : { prefer: 'return=minimal' };
      const more = { repeatable: true, headers, ...(signal === undefined ? {} : { signal }) };
      const request = jsonRequest('POST', filesOf(packageId), { items }, more);
      return await transport.exchange(request, async (answer) => {
        const { items: attached } = await answer.json(records ? attachedItemsShape : attachedResultsShape);
        if (attached.length === items.length) return attached;
        throw await answer.unexpected(`it answered for ${attached.length} files where ${items.length} were sent`);
      });
    },

    async findMany(packageId, relativePaths) {
      const { status } = await getJson(transport, `/packages/${parseId(packageId, 'package_id')}`, packageShape);
      if (status === 'garbage_collected') throw new ArtifactstoreError('package_collected', `Package ${packageId} was collected.`);
      return await Promise.all(
        parseRelativePaths(relativePaths, '/relative_paths').map(async (relative_path, index) => {
          const file = await find(packageId, relative_path);
          if (file === undefined)
            throw new ArtifactstoreError('file_not_found', `The package has no file "${relative_path}".`, {
              field: `/relative_paths/${index}`,
            });
          const path = fileAt(packageId, relative_path);
          return { file, open: (options = {}) => openDownload(transport, path, file, options) };
        }),
      );
    },

    list,
    encodedList: async (packageId, query) => encodePage(await list(packageId, query)),
    encodedWithDigest: async (contentAddress, query) => encodePage(await withDigest(contentAddress, query)),

    async stat(target) {
      const file = await locate(target);
      if (file === undefined) return undefined;
      // Its first byte, since a refusal of HEAD has no words by which the server is known.
      const { body } = await openDownload(transport, bytesAt(target), file, file.size_bytes === 0 ? {} : { range: { first: 0, last: 0 } });
      await Array.fromAsync(body);
      return file;
    },

    async open(target, options = {}) {
      const file = await locate(target);
      if (file === undefined) return undefined;
      return await openDownload(transport, bytesAt(target), file, options);
    },
  };

  function locate(target: FileTarget): Promise<File | undefined> {
    if ('file_id' in target) return get(target.file_id);
    if ('package_id' in target) return find(target.package_id, target.relative_path);
    return withDigest(target.content_address, { limit: 1 }).then(({ items }) => items[0]);
  }

  function bytesAt(target: FileTarget): string {
    if ('file_id' in target) return `/files/${target.file_id}/download`;
    if ('package_id' in target) return fileAt(target.package_id, target.relative_path);
    return `/objects/${target.content_address}`;
  }

  async function find(packageId: string, relativePath: string): Promise<File | undefined> {
    const relative_path = parseRelativePath(relativePath, 'relative_path');
    const page = getJson(transport, `${filesOf(packageId)}${queryText({ relative_path })}`, filesShape);
    return (await lookUp(page, 'package_not_found'))?.items[0];
  }
}

async function* one(file: NewFile): AsyncIterable<NewFile> {
  yield file;
}

function digestHeader(digests: NewFile['digests']): Readonly<Record<string, string>> {
  if (digests === undefined || digests.size === 0) return {};
  const fields = [...digests].map(
    ([algorithm, digest]) => `${fieldNames[algorithm] ?? algorithm}=:${Buffer.from(digest).toString('base64')}:`,
  );
  return { 'repr-digest': fields.join(', ') };
}

/** The names of RFC 9530, where they differ. */
const fieldNames: Readonly<Record<string, string>> = { sha256: 'sha-256', sha512: 'sha-512' };
