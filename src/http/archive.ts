import type { FastifyReply, FastifyRequest } from 'fastify';
import { pack as createPack, type Header, type Pack } from 'tar-stream';
import { decodeCbor } from '../kernel/cbor.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { canonicalJson } from '../kernel/json.ts';
import type { Manifest } from '../kernel/manifest.ts';
import type { Registry, SealedManifest } from '../registry/REGISTRY.ts';
import type { RouteContext } from './route.ts';
import { disconnectSignal, sendBytes } from './send.ts';

/**
 * A sealed package as a tar stream that is the same each time: `manifest.json` first, then the files in the manifest's order, with the time of
 * sealing. Should a file of the package be named `manifest.json` as well, it comes later and wins where both are unpacked.
 */
export async function sendArchive(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  sealed: SealedManifest,
): Promise<FastifyReply> {
  const value = decodeCbor(sealed.bytes);
  const manifest = value as unknown as Manifest;
  const status = (await request.registry.packages.get(manifest.package.id))?.status;
  if (status === 'garbage_collected') throw new ArtifactstoreError('package_collected', 'The package was collected: its bytes are gone.');
  const headers = {
    'content-type': 'application/x-tar',
    'content-disposition': `attachment; filename="${manifest.package.id}.tar"`,
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
  };
  if (request.method === 'HEAD') return reply.headers(headers).send();
  const body = archive(manifest, Buffer.from(canonicalJson(value)), request.registry, disconnectSignal(reply));
  await sendBytes(context, request, reply, { status: 200, headers, body });
  return reply;
}

async function* archive(
  manifest: Manifest,
  json: Buffer,
  registry: Registry,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pack = createPack();
  const packing = packAll(pack, manifest, json, registry, signal).catch((error: unknown) => {
    const reason = error instanceof Error ? error : new Error(String(error));
    pack.destroy(reason);
    return reason;
  });
  try {
    for await (const chunk of pack) yield chunk as Uint8Array;
  } catch (error) {
    throw (await packing) ?? error;
  } finally {
    pack.destroy();
    await packing;
  }
}

async function packAll(pack: Pack, manifest: Manifest, json: Buffer, registry: Registry, signal: AbortSignal): Promise<undefined> {
  const mtime = new Date(manifest.provenance.finalized_at);
  await packOne(pack, { name: 'manifest.json', mode: 0o644, mtime, size: json.length }, [json]);
  for (const file of manifest.files) {
    const opened = await registry.files.open({ file_id: file.id }, { signal });
    if (opened === undefined) throw new ArtifactstoreError('file_not_found', `The file "${file.relative_path}" is gone.`);
    const mode = file.annotations.mode === 'executable' ? 0o755 : 0o644;
    await packOne(pack, { name: file.relative_path, mode, mtime, size: file.size_bytes }, opened.body);
  }
  pack.finalize();
  return undefined;
}

async function packOne(
  pack: Pack,
  header: Partial<Header> & Pick<Header, 'name'>,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const written = Promise.withResolvers<void>();
  const entry = pack.entry({ type: 'file', ...header }, (error) => (error ? written.reject(error) : written.resolve()));
  written.promise.catch(() => undefined);
  // What goes wrong with the archive is told by the archive itself.
  entry.on('error', () => undefined);
  for await (const chunk of body) {
    // A chunk may be overwritten once the next is asked for, and the stream keeps what it is given.
    if (entry.write(Buffer.from(chunk))) continue;
    const drained = Promise.withResolvers<void>();
    entry.once('drain', drained.resolve).once('close', drained.resolve);
    await drained.promise;
    entry.off('drain', drained.resolve).off('close', drained.resolve);
    if (entry.destroyed) break;
  }
  entry.end(null);
  await written.promise;
}
