import { create as contentDisposition } from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CheckedFile, CheckedFiles } from '../../bundle/checked-file.ts';
import { type Artifact, baseName } from '../../bundle/manifest.ts';
import type { Look, ServedBundles } from '../../bundle/served-bundles.ts';
import type { EngineContext } from '../../http/context.ts';
import { sendBytes } from '../../http/send.ts';
import { type ContentAddress, parseAddress, splitAddress } from '../../kernel/content/address.ts';
import { pathFromUrl } from '../../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { formatDigestField } from '../../protocol/digest-fields.ts';
import { formatContentRange, selectRange } from '../../protocol/range.ts';
import { isKnown, mayServeRange, notSatisfiable, statedRange } from '../rest/conditions.ts';

export interface BundleParts {
  /** Where the manifests and the artifacts are. */
  readonly directory: string;
  readonly bundles: ServedBundles;
  readonly files: CheckedFiles;
}

/** Bytes at an address are always the same, and nobody needs a right to these. */
const cacheControl = 'public, max-age=31536000, immutable';

/** Answers GET and HEAD for the bytes of an artifact. They are checked before the first header is sent. */
export async function sendArtifact(
  context: EngineContext,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: BundleParts,
): Promise<FastifyReply> {
  const { headers, method } = request.raw;
  const { address, name } = askedFor(request);
  const artifact = await find(parts, address, name);
  await using file = await openChecked(parts, artifact);
  const { sizeBytes } = file;
  const etag = `"${address}"`;
  if (isKnown(headers, etag)) return reply.code(304).header('etag', etag).header('cache-control', cacheControl).send();
  const fields = headersOf(artifact, etag, name);
  if (method === 'HEAD') {
    reply.hijack();
    reply.raw.writeHead(200, { ...fields, 'content-length': sizeBytes, 'x-request-id': request.id });
    reply.raw.end();
    return reply;
  }
  const wanted = statedRange(request.raw);
  const range = wanted !== undefined && mayServeRange(headers, etag) ? wanted : undefined;
  const selected = range === undefined ? { first: 0, last: sizeBytes - 1 } : selectRange(range, sizeBytes);
  if (selected === undefined) throw notSatisfiable(reply, 'artifact', sizeBytes);
  await sendBytes(context, request, reply, {
    status: range === undefined ? 200 : 206,
    headers: range === undefined ? fields : { ...fields, 'content-range': formatContentRange(selected, sizeBytes) },
    body: file.read(selected.first, selected.last),
    length: selected.last - selected.first + 1,
  });
  return reply;
}

/** The address, and the file's name where one follows it: of a name that is a path only the last segment. */
function askedFor(request: FastifyRequest): { readonly address: ContentAddress; readonly name: string | undefined } {
  const [path = '', query = ''] = request.raw.url?.split('?', 2) ?? [];
  if (query !== '')
    throw new ArtifactstoreError('unknown_parameter', 'An artifact takes no query parameters.', { field: query.split(/[=&]/, 1)[0] ?? '' });
  const [, first = '', ...rest] = pathFromUrl(path.slice(1), 'path').split('/');
  const address = parseAddress(first, 'content_address');
  if (rest.length > 1) throw new ArtifactstoreError('route_not_found', 'Behind the address there is the name of the file, and no more.');
  return { address, name: rest[0] };
}

async function find({ bundles }: BundleParts, address: ContentAddress, name: string | undefined): Promise<Artifact> {
  const { bundles: found, unusable, withDigest } = await lookAt(bundles);
  const { algorithm, hex } = splitAddress(address);
  const artifact = (algorithm === 'sha256' ? withDigest(hex) : []).find((each) => name === undefined || baseName(each.name) === name);
  if (artifact !== undefined) return artifact;
  // It had some when it began: a disk that is not mounted any more leaves a directory without any.
  if (found.length === 0 && unusable.length === 0)
    throw new ArtifactstoreError('storage_unavailable', 'There is no bundle any more: is the disk that had them mounted?');
  if (unusable.length === 0)
    throw new ArtifactstoreError('object_not_found', 'No bundle that is served here has such an artifact.', { field: 'content_address' });
  throw new ArtifactstoreError(
    'storage_unavailable',
    `No bundle that can be read has such an artifact, and ${unusable[0]!.file} cannot be read: the log of the server says why.`,
  );
}

async function lookAt(bundles: ServedBundles): Promise<Look> {
  try {
    return await bundles.look();
  } catch (error) {
    if (!isArtifactstoreError(error, 'local_file_failed')) throw error;
    throw new ArtifactstoreError(
      'storage_unavailable',
      'The directory of the bundles cannot be read now: the log of the server says why.',
      {
        cause: error,
      },
    );
  }
}

async function openChecked({ directory, files }: BundleParts, artifact: Artifact): Promise<CheckedFile> {
  try {
    return await files.open(directory, artifact);
  } catch (error) {
    throw asAnswer(error, artifact);
  }
}

/** What is wrong with a file that a bundle promises is this server's fault, and its place is for the log. */
function asAnswer(error: unknown, { name }: Artifact): unknown {
  if (!(error instanceof ArtifactstoreError)) return error;
  switch (error.code) {
    case 'object_not_found':
      return new ArtifactstoreError('integrity_failure', `The bundle has "${name}", and its file is missing.`, { cause: error });
    case 'integrity_failure':
      return new ArtifactstoreError('integrity_failure', `The file of "${name}" is not what its bundle says.`, { cause: error });
    case 'local_file_failed':
    case 'storage_full':
      return new ArtifactstoreError('storage_unavailable', `The file of "${name}" cannot be read now.`, { cause: error });
    default:
      return error;
  }
}

function headersOf({ name, sha256, media_type: mediaType }: Artifact, etag: string, asked: string | undefined): Record<string, string> {
  const shown = asked ?? baseName(name);
  return {
    'content-type': mediaType ?? 'application/octet-stream',
    etag,
    'repr-digest': formatDigestField({ sha256 }),
    'content-disposition': /^[A-Za-z0-9._-]+$/.test(shown) ? `attachment; filename="${shown}"` : contentDisposition(shown),
    'accept-ranges': 'bytes',
    'cache-control': cacheControl,
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff',
  };
}
