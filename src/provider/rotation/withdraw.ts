import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import { documentNames, writeCurrent } from '../documents.ts';
import { writerOf } from '../writer.ts';
import { currentOf, isWithdrawn } from './run.ts';

/**
 * Sees to it that a generation never becomes the current one. This comes before the end of its keys, so that the
 * pointer never names keys that were ended. The pointer itself says it, by compare-and-set: a rotation that has read it
 * before cannot move it any more, and one that reads it afterwards makes another generation. Answers `current` where it
 * is too late, and `before` where somebody else has done it. Errors: as of the store.
 */
export async function withdraw(secrets: Secrets, generation: number): Promise<'withdrawn' | 'before' | 'current'> {
  for (let attempt = 1; ; attempt += 1) {
    const current = await currentOf(secrets);
    if (current?.generation === generation) return 'current';
    if (isWithdrawn(generation, current)) return 'before';
    const withdrawn = [...(current?.withdrawn ?? []), generation];
    try {
      await writerOf(secrets).put(documentNames.current, writeCurrent({ generation: current?.generation, withdrawn }), current?.version);
      return 'withdrawn';
    } catch (error) {
      if (!isArtifactstoreError(error, 'secret_conflict') || attempt === attempts) throw error;
    }
  }
}

const attempts = 5;
