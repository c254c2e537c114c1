import type { FastifyReply, FastifyRequest } from 'fastify';
import { disconnectSignal, sendBytes } from '../../../http/send.ts';
import { tarEnd, tarEntryHead, tarPadding } from '../../../protocol/tar-write.ts';
import type { FoundToOpen, OpenFile, Package } from '../../../registry/REGISTRY.ts';
import { cacheControl } from '../conditions.ts';
import type { RouteContext } from '../route.ts';
import { gathered, pieceBytes } from './gathered-pieces.ts';

/**
 * Files of a sealed package, those of these paths and in their order, as a tar archive with the time of sealing. Its
 * length is known before its bytes; a file that turns out to be damaged breaks the connection.
 */
export async function sendArchiveOf(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, finalized_at }: Package,
  relativePaths: readonly string[],
): Promise<FastifyReply> {
  const signal = disconnectSignal(reply);
  const files = await request.registry.files.findMany(id, relativePaths, { annotations: ['mode'] });
  const mtime = Math.floor(Date.parse(finalized_at ?? '') / 1000);
  const heads = files.map(({ file }) =>
    tarEntryHead({
      path: file.relative_path,
      sizeBytes: file.size_bytes,
      executable: file.annotations.mode === 'executable',
      mtime,
    }),
  );
  const ofEntry = (index: number): number => {
    const { size_bytes } = files[index]!.file;
    return heads[index]!.length + size_bytes + tarPadding(size_bytes).length;
  };
  await request.memory.take(aheadBytes + pieceBytes);
  await sendBytes(context, request, reply, {
    status: 200,
    headers: {
      'content-type': 'application/x-tar',
      'content-disposition': `attachment; filename="${id}.tar"`,
      'cache-control': cacheControl,
      'x-content-type-options': 'nosniff',
    },
    body: gathered(entries(files, heads, signal)),
    length: files.reduce((sum, _, index) => sum + ofEntry(index), tarEnd().length),
  });
  return reply;
}

async function* entries(
  files: readonly FoundToOpen[],
  heads: readonly Uint8Array[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const opened = openAhead(files, signal);
  for (const [index, { file }] of files.entries()) {
    yield heads[index]!;
    if (file.size_bytes === 0) await opened();
    else {
      yield* (await opened()).body;
      const padding = tarPadding(file.size_bytes);
      if (padding.length > 0) yield padding;
    }
  }
  yield tarEnd();
}

/** So many files, and so many bytes of them, are read before it is their turn. */
const aheadFiles = 64;
const aheadBytes = 1_048_576;

/**
 * Gives the files opened, one after the other. Small ones are opened many at a time, which is when reading them costs
 * least: each is whole in memory by then, and holds nothing that has to be closed. A longer one is opened in its turn.
 */
function openAhead(files: readonly FoundToOpen[], signal: AbortSignal): () => Promise<OpenFile> {
  const ahead: { readonly opened: Promise<OpenFile>; readonly bytes: number }[] = [];
  let next = 0;
  let bytes = 0;

  const open = (): void => {
    const found = files[next]!;
    const opened = found.open({ signal, reuseChunks: true });
    // It is awaited in its turn, or never.
    opened.catch(() => undefined);
    ahead.push({ opened, bytes: found.file.size_bytes });
    bytes += found.file.size_bytes;
    next += 1;
  };
  const fits = (): boolean => {
    const size = files[next]?.file.size_bytes;
    return size !== undefined && size <= smallBytes && ahead.length < aheadFiles && bytes + size <= aheadBytes;
  };
  return async () => {
    if (ahead.length <= aheadFiles / 2) while (fits()) open();
    if (ahead.length === 0) open();
    const first = ahead.shift()!;
    const file = await first.opened;
    bytes -= first.bytes;
    return file;
  };
}

/** Up to here an object is read and checked before it is given out. */
const smallBytes = 262_144;
