import { setImmediate } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { disconnectSignal, sendBytes } from '../../../http/send.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import type { ManifestFile } from '../../../kernel/manifest.ts';
import type { WalkedManifest } from '../../../kernel/manifest-walk.ts';
import { formatContentRange, selectRange } from '../../../protocol/range.ts';
import { tarEnd, tarEntryHead, tarPadding } from '../../../protocol/tar-write.ts';
import type { Registry } from '../../../registry/REGISTRY.ts';
import { cacheControl, isKnown, mayServeRange, notSatisfiable, statedRange } from '../conditions.ts';
import type { RouteContext } from '../route.ts';
import { type OpenManifest, rested, type SealedManifests, type SealedPackage } from '../sealed-manifests.ts';

/** Part of the entity tag: another arrangement of the same files is another representation. */
const arrangement = 'tar-1';
/** After so many of them whoever goes through them rests. */
const stretchesAtOnce = 100;

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
  manifests: SealedManifests,
  request: FastifyRequest,
  reply: FastifyReply,
  sealed: SealedPackage,
): Promise<FastifyReply> {
  if (sealed.status === 'garbage_collected')
    throw new ArtifactstoreError('package_collected', 'The package was collected: its bytes are gone.');
  const etag = `"${arrangement}:${sealed.manifest_digest}"`;
  const { headers } = request.raw;
  if (isKnown(headers, etag)) return reply.code(304).header('etag', etag).header('cache-control', cacheControl).send();

  const signal = disconnectSignal(reply);
  const { walked, jsonBytes, size } = await manifests.open(request, reply, sealed, measure);
  const answered = {
    'content-type': 'application/x-tar',
    'content-disposition': `attachment; filename="${sealed.id}.tar"`,
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
    body: read(arrange(walked, jsonBytes, request.registry, signal), range ?? { first: 0, last: size - 1 }),
    length: range === undefined ? size : range.last - range.first + 1,
  });
  return reply;
}

interface Measured {
  readonly walked: WalkedManifest;
  readonly jsonBytes: number;
  readonly size: number;
}

async function measure({ walked }: OpenManifest): Promise<Measured> {
  let jsonBytes = 0;
  await rested(walked.json(), (piece) => {
    jsonBytes += Buffer.byteLength(piece);
  });
  let size = 0;
  let count = 0;
  for (const { length } of arrange(walked, jsonBytes)) {
    size += length;
    if (++count % stretchesAtOnce === 0) await setImmediate();
  }
  return { walked, jsonBytes, size };
}

/** The bytes of a range of the archive; files that lie outside it are not opened. */
async function* read(stretches: Iterable<Stretch>, { first, last }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
  let start = 0;
  let count = 0;
  for (const { length, open } of stretches) {
    const end = start + length - 1;
    if (start > last) return;
    if (length > 0 && end >= first) {
      const whole = start >= first && end <= last;
      yield* await open(whole ? undefined : { first: Math.max(first - start, 0), last: Math.min(last - start, length - 1) });
    }
    start += length;
    if (++count % stretchesAtOnce === 0) await setImmediate();
  }
}

/** Without a registry it can be measured, and not read. */
function* arrange(
  walked: WalkedManifest,
  jsonBytes: number,
  registry?: Registry,
  signal?: AbortSignal,
): Generator<Stretch, void, undefined> {
  const mtime = Math.floor(Date.parse(walked.finalizedAt) / 1000);
  yield fixed(tarEntryHead({ path: 'manifest.json', sizeBytes: jsonBytes, executable: false, mtime }));
  yield { length: jsonBytes, open: async (range) => piecesOf(walked, range ?? { first: 0, last: jsonBytes - 1 }) };
  yield fixed(tarPadding(jsonBytes));
  for (const file of walked.files()) {
    const { relative_path: path, size_bytes: sizeBytes, annotations } = file;
    yield fixed(tarEntryHead({ path, sizeBytes, executable: annotations.mode === 'executable', mtime }));
    yield { length: sizeBytes, open: (range) => openFile(registry, file, range, signal) };
    yield fixed(tarPadding(sizeBytes));
  }
  yield fixed(tarEnd());
}

/** What of the manifest's JSON lies in the range. */
async function* piecesOf(walked: WalkedManifest, { first, last }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
  let start = 0;
  for (const piece of walked.json()) {
    const bytes = Buffer.from(piece);
    const wanted = bytes.subarray(Math.max(first - start, 0), Math.max(last + 1 - start, 0));
    start += bytes.length;
    if (wanted.length > 0) yield wanted;
    if (start > last) return;
    await setImmediate();
  }
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
  registry: Registry | undefined,
  file: ManifestFile,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const options = { reuseChunks: true, ...(signal === undefined ? {} : { signal }), ...(range === undefined ? {} : { range }) };
  const opened = await registry?.files.open({ file_id: file.id }, options);
  if (opened === undefined) throw new ArtifactstoreError('file_not_found', `The file "${file.relative_path}" is gone.`);
  return opened.body;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
