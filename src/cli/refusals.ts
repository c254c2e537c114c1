import { type ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { wrongError } from './wrongs.ts';

/** What is refused by one part after the other, to be told together. */
export interface Refusals {
  readonly errors: readonly ArtifactstoreError[];
  /** What to do about them, each once. */
  hints(): readonly string[];
  /** Undefined where it is refused. Only what was cancelled, or is no refusal, is thrown. */
  attempt<T>(work: () => T | Promise<T>): Promise<T | undefined>;
  /** One refusal as it is; several as one `invalid_configuration`. Nothing where there is none. */
  throwAny(): void;
}

export function collectRefusals(): Refusals {
  const errors: ArtifactstoreError[] = [];
  const hints = () => [...new Set(errors.flatMap(({ info }) => (typeof info?.hint === 'string' ? [info.hint] : [])))];
  return {
    errors,
    hints,
    async attempt(work) {
      try {
        return await work();
      } catch (error) {
        if (!isArtifactstoreError(error) || error.code === 'cancelled') throw error;
        errors.push(error);
        return undefined;
      }
    },
    throwAny() {
      const [first] = errors;
      if (first === undefined) return;
      if (errors.length === 1) throw first;
      const hint = hints().join('; ');
      throw wrongError(
        `${errors.length} of these cannot be used`,
        errors.map(({ message }) => ({ text: message })),
        {
          ...(first.field === undefined ? {} : { field: first.field }),
          info: hint === '' ? {} : { hint },
        },
      );
    },
  };
}
