import type { DataPlane, Draft, StoredObject } from '../../dataplane/DATAPLANE.ts';
import { splitAddress } from '../../kernel/content/address.ts';
import { fromHex } from '../../kernel/content/digest.ts';
import { objectKey } from '../../kernel/content/key.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Context } from '../context.ts';
import { type BadVerdict, readWhole, verdictOf } from './read-whole.ts';

/**
 * An object's bytes on their way into another backend, by the rule of an ingest: staged once, published under the
 * generation that is next there, and under another when somebody was faster. Nobody refers to them before a transaction
 * says so.
 */
export interface Copy {
  /** Makes the bytes durable under this generation's key, and reads them from there to the end, both digests. */
  publish(generation: number, signal?: AbortSignal): Promise<Published>;
  /** Those that it was published under. */
  readonly generations: readonly number[];
  /** Forgets the draft. */
  discard(): Promise<void>;
}

/**
 * `source`: the object itself can't be read whole, so nothing was published. `copy`: what was published reads as
 * something else.
 */
export type Published = { readonly result: 'ok' } | { readonly result: 'source' | 'copy'; readonly verdict: BadVerdict };

type Parts = Pick<Context, 'dataplane'>;

export function createCopy(parts: Parts, source: StoredObject, backendId: string): Copy {
  const { dataplane } = parts;
  const generations: number[] = [];
  let draft: Draft | undefined;
  return {
    generations,
    async publish(generation, signal) {
      if (draft === undefined) {
        const staged = await stageFrom(parts, source, backendId, signal);
        if ('result' in staged) return { result: 'source', verdict: staged };
        draft = staged;
      }
      const key = objectKey(source.contentAddress, generation);
      generations.push(generation);
      await dataplane.publish(draft, key, signal);
      const verdict = await readWhole(parts, { ...source, backendId, objectKey: key }, signal);
      return verdict.result === 'ok' ? { result: 'ok' } : { result: 'copy', verdict };
    },
    async discard() {
      if (draft !== undefined) await dataplane.discard(draft);
    },
  };
}

/**
 * The source's bytes in a draft of the other backend, both digests checked; or what is wrong with the source. `into` is
 * the other backend's data plane, where it has one of its own.
 */
export async function stageFrom(
  parts: Parts,
  source: StoredObject,
  backendId: string,
  signal: AbortSignal | undefined,
  into: DataPlane = parts.dataplane,
): Promise<Draft | BadVerdict> {
  const { dataplane } = parts;
  const { algorithm, hex } = splitAddress(source.contentAddress);
  const digests = new Map([
    [algorithm, fromHex(hex)!],
    ['sha256', fromHex(source.digestSha256)!],
  ]);
  let unread: { readonly error: unknown } | undefined;
  async function* bytes(): AsyncIterable<Uint8Array> {
    try {
      yield* await dataplane.open(source, undefined, signal);
    } catch (error) {
      unread = { error };
      throw error;
    }
  }
  try {
    return await into.stage(backendId, bytes(), { sizeBytes: source.sizeBytes, digests }, signal);
  } catch (error) {
    if (unread !== undefined) return await verdictOf(parts, source.backendId, unread.error);
    if (isArtifactstoreError(error, 'digest_mismatch') || isArtifactstoreError(error, 'length_mismatch'))
      return { result: 'failed', reason: error.message };
    throw error;
  }
}
