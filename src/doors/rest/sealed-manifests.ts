import { setImmediate } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { manifestsBytes } from '../../http/limits.ts';
import { createMemory, type MemoryAccount } from '../../http/memory.ts';
import { whenClosed } from '../../http/when-closed.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { type WalkedManifest, walkManifest } from '../../kernel/manifest-walk.ts';
import type { Package, SealedManifest } from '../../registry/REGISTRY.ts';
import { createFairTurns } from '../../runtime/fair-turns.ts';

/**
 * Manifests as answers are made of them. A long one is 50 MB: such are read and looked through one at a time, in turns
 * of callers, and those that answers are made of are counted until these have ended.
 */
export interface SealedManifests {
  /** What an answer holds of such memory, until its request has ended. */
  account(request: FastifyRequest, reply: FastifyReply): MemoryAccount;
  /** Gives what `look` makes of it; `rested` serves others while something is gone through. */
  open<T>(request: FastifyRequest, reply: FastifyReply, sealed: SealedPackage, look: (manifest: OpenManifest) => Promise<T>): Promise<T>;
}

export type SealedPackage = Package & { readonly manifest_digest: string };

export interface OpenManifest extends SealedManifest {
  readonly walked: WalkedManifest;
}

/** Up to here it is done at once, in some milliseconds. */
const fewFiles = 200;
/** What the manifest has of a file, as a rule. */
const bytesOfFile = 512;
const mostOfOne = manifestsBytes / 2;

export function createSealedManifests(): SealedManifests {
  const turns = createFairTurns({ what: 'long manifests', room: 1, waitingOfOne: 1_000, waitMilliseconds: 30_000 });
  const memory = createMemory(
    { bufferedBytes: manifestsBytes, bufferedWait: 10_000 },
    { bound: 'manifests_bytes', one: 'this manifest', all: 'All manifests' },
  );

  function account(request: FastifyRequest, reply: FastifyReply): MemoryAccount {
    const opened = memory.open(request.principal.share);
    whenClosed(reply.raw, opened.give);
    return opened;
  }

  return {
    account,
    async open(request, reply, { id, file_count: count }, look) {
      const read = () => request.registry.packages.manifest(id);
      const open = async (manifest: SealedManifest) => look({ ...manifest, walked: await rested(walkManifest(manifest.bytes)) });
      if (count <= fewFiles) return await open(await read());

      const held = account(request, reply);
      const expected = Math.min(count * bytesOfFile, mostOfOne);
      await held.take(expected);
      return await turns.take(request.principal.share, 1, async () => {
        if (reply.raw.closed) throw new ArtifactstoreError('cancelled', 'The client left before its turn.');
        const manifest = await read();
        const more = Math.min(manifest.bytes.length, mostOfOne) - expected;
        // Nobody else has a turn while this is waited for.
        if (more > 0) await held.take(more, 0);
        return await open(manifest);
      });
    },
  };
}

/** Goes through to the end, and serves others after each step. */
export async function rested<Step, T>(steps: Generator<Step, T, undefined>, each?: (step: Step) => void): Promise<T> {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
    each?.(next.value);
    await setImmediate();
  }
}
