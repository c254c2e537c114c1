import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenedForSessions } from '../../../src/registry/conformance/write-sessions.ts';
import type { PutOptions, Registry, SessionObject, WriteHandle } from '../../../src/registry/REGISTRY.ts';
import { certificateOf } from '../../s3-stand-in/certificate-of.ts';
import type { StrictStore, StrictStoreOptions } from '../../s3-stand-in/strict-store.ts';
import { openTestRegistry } from '../open-registry.ts';
import { openBucket } from '../uploads/open-machines.ts';

type Environment = Readonly<Record<string, string>>;

/** Settings by which senders are given addresses of the bucket: its certificate says that this is safe. */
export async function withCertificate(
  environment: Environment,
): Promise<{ readonly environment: Environment; readonly remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-certificate-'));
  const path = join(directory, 'certificate.json');
  const { ARTIFACTSTORE_S3_ENDPOINT_URL: endpoint = '', ARTIFACTSTORE_S3_BUCKET: bucket = '' } = environment;
  await writeFile(path, JSON.stringify(certificateOf({ endpoint, bucket })));
  return {
    environment: { ...environment, ARTIFACTSTORE_S3_PRESIGNED_UPLOADS: 'true', ARTIFACTSTORE_S3_PROFILE_PATH: path },
    remove: () => rm(directory, { recursive: true }),
  };
}

/** A strict store that is certified for presigned uploads. */
export async function openPresignedBucket(
  options: StrictStoreOptions = {},
): Promise<{ readonly store: StrictStore; readonly environment: Environment; readonly close: () => Promise<void> }> {
  const { store, environment } = await openBucket(options);
  const certified = await withCertificate(environment);
  return {
    store,
    environment: certified.environment,
    async close() {
      await store.close();
      await certified.remove();
    },
  };
}

/** Sends bytes as a handle says. */
export async function sendTo({ method, url, headers }: WriteHandle, bytes: Uint8Array | string): Promise<Response> {
  const { 'content-length': _, ...rest } = headers;
  const body = typeof bytes === 'string' ? Buffer.from(bytes) : new Uint8Array(bytes);
  return await fetch(url, { method, headers: rest, body, redirect: 'error' });
}

/** For the conformance of write sessions: a registry whose senders put objects by handles, with its bucket. */
export async function openByHandles(count: { handles: number }): Promise<OpenedForSessions> {
  const { environment, close } = await openPresignedBucket();
  const store = await openTestRegistry(environment);
  return {
    registry: byHandles(store.as('tester'), count),
    as: (principal) => byHandles(store.as(principal), count),
    async close() {
      await store.close();
      await close();
    },
  };
}

/**
 * A registry whose senders put objects by their handles, and to the server only what the store refuses. How many went
 * by a handle is counted.
 */
export function byHandles(registry: Registry, count: { handles: number }): Registry {
  const { writeSessions } = registry;
  async function put(id: string, name: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<SessionObject> {
    const find = async () => (await writeSessions.status(id))?.objects.find((each) => each.name === name);
    const handle = (await find())?.handle;
    if (handle === undefined) return await writeSessions.put(id, name, body, options);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk.slice());
    const answer = await sendTo(handle, Buffer.concat(chunks)).catch(() => undefined);
    await answer?.body?.cancel();
    const found = answer?.ok === true ? await find() : undefined;
    if (found?.state === 'received') {
      count.handles += 1;
      return found;
    }
    const again = async function* () {
      yield* chunks;
    };
    return await writeSessions.put(id, name, again(), options);
  }
  return { ...registry, writeSessions: { ...writeSessions, put } };
}
