import type { PublishedArtifact, PublishedArtifacts } from '../../bundle/addresses.ts';
import { type LocalBundle, readArtifact } from '../../bundle/local-bundle.ts';
import type { Artifact, Bundle } from '../../bundle/manifest.ts';
import { digestHex, utf8 } from '../../kernel/content/digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { CommittedSession, NewWriteSession, Registry, SessionObject, WriteSession } from '../../registry/REGISTRY.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import type { SendUpload } from '../resumable.ts';
import { reopenable } from '../wire/body.ts';
import type { StorePut } from '../wire/store-put.ts';
import { sendInPieces } from './send-in-pieces.ts';
import { storeSender } from './send-to-store.ts';

export interface PublishOptions {
  readonly producer: string;
  readonly retentionClass: string;
  readonly ttlSeconds: number;
  /** Uploads at once. */
  readonly jobs: number;
  /** Of the bundle and these options where absent: the same publication again is the same session. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each artifact that the registry has, with how many of its bytes had to be sent; null where it had it. */
  readonly onTaken?: (artifact: Artifact, sentBytes: number | null) => void;
  /** Artifacts of more bytes than this are sent so that they can be continued, where the registry can be asked to. */
  readonly resumableAbove?: number;
}

export interface PublishedBundle {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly artifacts: PublishedArtifacts;
}

/** A registry, and over HTTP also the ways to continue uploads at it, and to write to its store. */
export type PublishTo = Pick<Registry, 'packages' | 'writeSessions'> & {
  readonly sendUpload?: SendUpload;
  readonly storePut?: StorePut;
};

/** As many packages of one publication that were collected, as another one is made for. */
const mostAttempts = 50;
/** Below it a break costs less than to begin an upload. */
const usualResumableAbove = 16_777_216;
/** What producers use such sessions for. */
const scope = 'deployment_artifacts';

/**
 * Hands over a bundle that was checked, as one write session: opens it, sends what the registry does not have, and
 * commits. What was sent by a publication that was stopped is not sent again. Errors: those of write sessions, and
 * `unexpected_answer` when what was committed is not the bundle.
 */
export async function publishBundle(registry: PublishTo, local: LocalBundle, options: PublishOptions): Promise<PublishedBundle> {
  const input = sessionOf(local.bundle, options);
  const key = options.idempotencyKey ?? `publish-${digestHex('sha256', utf8(JSON.stringify({ ...input, ttl_seconds: null })))}`;
  for (let attempt = 1; ; attempt++) {
    const idempotencyKey = attempt === 1 ? key : `${key}-${attempt}`;
    const record = await openSession(registry, input, idempotencyKey, options);
    // A release that was published long ago, and has gone since, is published like a new one.
    if (options.idempotencyKey === undefined && attempt < mostAttempts && (await isGone(registry, record))) continue;
    const committed = await fill(registry, local, record, options);
    const { package_id, manifest_digest } = committed;
    return { package_id, manifest_digest, artifacts: addressesOf(local.bundle, committed) };
  }
}

function sessionOf({ name, release, artifacts }: Bundle, { producer, retentionClass, ttlSeconds }: PublishOptions): NewWriteSession {
  return {
    scope,
    producer,
    subject: name,
    namespace: release === undefined ? name : `${name}@${release}`,
    retention_class: retentionClass,
    ttl_seconds: ttlSeconds,
    objects: artifacts.map(({ name, sha256, size_bytes, media_type }) => {
      return { name, sha256, size_bytes, ...(media_type === undefined ? {} : { media_type }) };
    }),
  };
}

/**
 * A key that was made of the bundle tells everything of the publication but how long it may wait. The session under it
 * is this publication, begun with another `ttlSeconds`: it is continued as it is.
 */
async function openSession(
  { writeSessions }: Pick<Registry, 'writeSessions'>,
  input: NewWriteSession,
  idempotencyKey: string,
  options: PublishOptions,
): Promise<WriteSession> {
  try {
    return (await writeSessions.open(input, { idempotencyKey })).record;
  } catch (error) {
    if (options.idempotencyKey !== undefined || !isArtifactstoreError(error, 'idempotency_conflict')) throw error;
    const id = error.info?.write_session_id;
    const begun = typeof id === 'string' ? await writeSessions.status(id) : undefined;
    if (begun === undefined) throw error;
    return begun;
  }
}

async function isGone({ packages }: Pick<Registry, 'packages'>, { state, package_id: id }: WriteSession): Promise<boolean> {
  if (state !== 'committed' || id === null) return false;
  const kept = await packages.get(id);
  return kept === undefined || kept.status !== 'finalized';
}

async function fill(registry: PublishTo, local: LocalBundle, session: WriteSession, options: PublishOptions): Promise<CommittedSession> {
  const artifacts = new Map<string, Artifact>(local.bundle.artifacts.map((artifact) => [artifact.name, artifact]));
  const { jobs, signal, onTaken, resumableAbove = usualResumableAbove } = options;
  const { writeSessions, sendUpload } = registry;
  const sendToStore = storeSender(registry, session);

  async function send(names: Iterable<string>, toStore: boolean): Promise<void> {
    await forEachLimited(names, jobs, async (name) => {
      throwIfStopped(signal);
      const artifact = artifacts.get(name);
      if (artifact === undefined) throw unexpected(`it wants "${name}", which the bundle does not have`);
      const whole = () => kept(readArtifact(local.directory, artifact, signal));
      if (toStore && (await sendToStore(name, whole, signal))) {
        onTaken?.(artifact, artifact.size_bytes);
        return;
      }
      if (sendUpload !== undefined && artifact.size_bytes > resumableAbove) {
        const from = (offset: number) => kept(readArtifact(local.directory, artifact, signal, offset));
        const sentBytes = await sendInPieces({ writeSessions, sendUpload }, session.id, artifact, from, signal);
        onTaken?.(artifact, sentBytes);
        return;
      }
      const body = reopenable(whole);
      await writeSessions.put(session.id, name, body, { size_bytes: artifact.size_bytes, ...(signal === undefined ? {} : { signal }) });
      onTaken?.(artifact, artifact.size_bytes);
    });
  }

  if (session.state === 'open') {
    const missing = session.objects.filter(({ state }) => state === 'put').map(({ name }) => name);
    for (const { name } of session.objects.filter(({ state }) => state !== 'put')) {
      const artifact = artifacts.get(name);
      if (artifact !== undefined) onTaken?.(artifact, null);
    }
    await send(missing, true);
  }
  throwIfStopped(signal);
  try {
    return await writeSessions.commit(session.id);
  } catch (error) {
    // What the registry had at the opening it may have lost since, and its store may not keep what it took: it is sent,
    // once, to the server.
    const names = isArtifactstoreError(error, 'write_session_incomplete') ? namesOf(error.info?.objects) : [];
    if (names.length === 0) throw error;
    await send(names, false);
    return await writeSessions.commit(session.id);
  }
}

/** A connection reads ahead, so that each chunk has to stay what it was. */
async function* kept(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield new Uint8Array(chunk);
}

function namesOf(objects: unknown): readonly string[] {
  if (!Array.isArray(objects)) return [];
  return objects.flatMap((object: unknown) => {
    const name = typeof object === 'object' && object !== null && 'name' in object ? object.name : undefined;
    return typeof name === 'string' ? [name] : [];
  });
}

/** The addresses, when they are those of just these artifacts. */
function addressesOf({ artifacts }: Bundle, { objects }: CommittedSession): PublishedArtifacts {
  const published = artifacts.map(({ name, sha256, size_bytes }): readonly [string, PublishedArtifact] => {
    const object: Pick<SessionObject, 'url' | 'sha256' | 'size_bytes'> | undefined = Object.hasOwn(objects, name)
      ? objects[name]
      : undefined;
    if (object?.sha256 !== sha256 || object.size_bytes !== size_bytes) throw unexpected(`it has other bytes for "${name}"`);
    if (object.url === undefined) throw unexpected(`it has no address for "${name}"`);
    return [name, { url: object.url, sha256, size_bytes }];
  });
  if (Object.keys(objects).length !== artifacts.length) throw unexpected('it has more artifacts than the bundle');
  return Object.fromEntries(published);
}

function unexpected(fault: string): ArtifactstoreError {
  return new ArtifactstoreError('unexpected_answer', `The answer of the registry is not that of the bundle: ${fault}.`);
}
