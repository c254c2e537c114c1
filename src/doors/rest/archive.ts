import type { FastifyReply, FastifyRequest } from 'fastify';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { canonicalJson } from '../../kernel/format/json.ts';
import { type Manifest, parseManifest } from '../../kernel/manifest.ts';
import { formatContentRange, selectRange } from '../../protocol/range.ts';
import { tarEnd, tarEntryHead, tarPadding } from '../../protocol/tar-write.ts';
import type { Registry, SealedManifest } from '../../registry/REGISTRY.ts';
import { cacheControl, isKnown, mayServeRange, notSatisfiable, statedRange } from './conditions.ts';
import type { RouteContext } from './route.ts';
import { disconnectSignal, sendBytes } from './send.ts';

/** Part of the entity tag: another arrangement of the same files is another representation. */
const arrangement = 'tar-1';

/** A stretch of the archive, whose bytes are made when they are wanted. */
interface Stretch {
  readonly length: number;
  open(range: ByteRange | undefined): Promise<AsyncIterable<Uint8Array>>;
}

interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * A sealed package as a tar archive that is the same each time, so that it has a length, a strong tag and ranges:
 * `manifest.json` first, then the files in the manifest's order, with the time of sealing. Should a file of the package
 * be named `manifest.json` as well, it comes later and wins where both are unpacked.
 */
export async function sendArchive(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  sealed: SealedManifest,
): Promise<FastifyReply> {
  const manifest = parseManifest(sealed.bytes);
  const status = (await request.registry.packages.get(manifest.package.id))?.status;
  if (status === 'garbage_collected') throw new ArtifactstoreError('package_collected', 'The package was collected: its bytes are gone.');
  const etag = `"${arrangement}:${sealed.digest}"`;
  const { headers } = request.raw;
  if (isKnown(headers, etag)) return reply.code(304).header('etag', etag).header('cache-control', cacheControl).send();

  const signal = disconnectSignal(reply);
  const json = Buffer.from(canonicalJson(manifest));
  const stretches = () => arrange(manifest, json, request.registry, signal);
  let size = 0;
  for (const { length } of stretches()) size += length;
  const answered = {
    'content-type': 'application/x-tar',
    'content-disposition': `attachment; filename="${manifest.package.id}.tar"`,
    'accept-ranges': 'bytes',
    'cache-control': cacheControl,
    'x-content-type-options': 'nosniff',
    etag,
  };
  if (request.raw.method === 'HEAD') {
    reply.hijack();
    reply.raw.writeHead(200, { ...answered, 'content-length': size, 'x-request-id': request.id });
    reply.raw.end();
    return reply;
  }
  const stated = statedRange(request.raw);
  const range = stated !== undefined && mayServeRange(headers, etag) ? (selectRange(stated, size) ?? 'none') : undefined;
  if (range === 'none') throw notSatisfiable(reply, 'archive', size);
  await sendBytes(context, request, reply, {
    status: range === undefined ? 200 : 206,
    headers: range === undefined ? answered : { ...answered, 'content-range': formatContentRange(range, size) },
    body: read(stretches(), range ?? { first: 0, last: size - 1 }),
    length: range === undefined ? size : range.last - range.first + 1,
  });
  return reply;
}

/** The bytes of a range of the archive; files that lie outside it are not opened. */
async function* read(stretches: Iterable<Stretch>, { first, last }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
  let start = 0;
  for (const { length, open } of stretches) {
    const end = start + length - 1;
    if (start > last) return;
    if (length > 0 && end >= first) {
      const whole = start >= first && end <= last;
      yield* await open(whole ? undefined : { first: Math.max(first - start, 0), last: Math.min(last - start, length - 1) });
    }
    start += length;
  }
}

function* arrange(manifest: Manifest, json: Buffer, registry: Registry, signal: AbortSignal): Generator<Stretch, void, undefined> {
  const mtime = Math.floor(Date.parse(manifest.provenance.finalized_at) / 1000);
  yield fixed(tarEntryHead({ path: 'manifest.json', sizeBytes: json.length, executable: false, mtime }));
  yield fixed(json);
  yield fixed(tarPadding(json.length));
  for (const file of manifest.files) {
    const { relative_path: path, size_bytes: sizeBytes, annotations } = file;
    yield fixed(tarEntryHead({ path, sizeBytes, executable: annotations.mode === 'executable', mtime }));
    yield { length: sizeBytes, open: (range) => openFile(registry, file, range, signal) };
    yield fixed(tarPadding(sizeBytes));
  }
  yield fixed(tarEnd());
}

function fixed(bytes: Uint8Array): Stretch {
  return {
    length: bytes.length,
    async open(range) {
      return one(range === undefined ? bytes : bytes.subarray(range.first, range.last + 1));
    },
  };
}

async function openFile(
  registry: Registry,
  file: Manifest['files'][number],
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const opened = await registry.files.open({ file_id: file.id }, { signal, reuseChunks: true, ...(range === undefined ? {} : { range }) });
  if (opened === undefined) throw new ArtifactstoreError('file_not_found', `The file "${file.relative_path}" is gone.`);
  return opened.body;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
