import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import type { Secret } from '../../secrets/secret.ts';
import { type AdminPair, documentNames, readPair } from '../documents.ts';
import type { Authority, Provider } from '../PROVIDER.ts';
import { type Patience, untilAllowed } from '../propagation.ts';

/** Errors: `authority_missing` where no pair was imported. */
export async function loadPair(secrets: Secrets): Promise<AdminPair> {
  const found = await secrets.get(documentNames.pair);
  if (found !== undefined) return readPair(found.value);
  throw new ArtifactstoreError('authority_missing', `The store ${secrets.place} has no admin pair.`, {
    field: documentNames.pair,
    info: { hint: 'run `artifactstore provider import-admin-pair` first' },
  });
}

export interface Chosen {
  readonly slot: 'a' | 'b';
  readonly value: Secret;
  readonly authority: Authority;
  /** Why slot a is not the one. */
  readonly warning: string | undefined;
}

/** Slot a, and b where a is refused. Loaded when it is needed, and kept no longer than the command runs. */
export async function chooseAuthority(
  pair: AdminPair,
  provider: Provider,
  bucket: string | undefined,
  patience: Patience,
): Promise<Chosen> {
  let first: unknown;
  for (const { slot, value } of pair.tokens) {
    try {
      const authority = await untilAllowed(patience, () => provider.verify(value, bucket));
      const warning =
        first === undefined
          ? undefined
          : `slot a of the pair was refused, slot b is used: ${(first as Error).message} Import another pair.`;
      return { slot, value, authority, warning };
    } catch (error) {
      const isRefusal = error instanceof ArtifactstoreError && refusals.has(error.code);
      if (!isRefusal) throw error;
      first ??= error;
    }
  }
  throw first;
}

const refusals: ReadonlySet<string> = new Set(['provider_forbidden', 'authority_unusable']);
