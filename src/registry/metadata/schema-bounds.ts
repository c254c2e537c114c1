import type { ConfinedBounds } from '../../confined/confined.ts';

/** What schemas and metadata may cost, and what crosses to the thread that pays it. Lengths are in characters. */

/** Of a schema as canonical JSON. */
export const maximumSchemaLength = 1_048_576;
/** Of metadata that a schema is applied to, as canonical JSON; HTTP takes less. */
export const maximumMetadataLength = 4_194_304;
/**
 * Of all compiled forms of one schema: a compiler's memory is outside of the heap's bound. The largest public
 * schema that was tried, of 300 kB, has a third of it.
 */
export const maximumCode = 2_097_152;

/** Compiled schemas that a thread keeps, and the length of their texts and compiled forms. */
export const keptSchemas = 64;
export const keptCharacters = 2_097_152;

export const schemaBounds: ConfinedBounds = {
  quickMilliseconds: 250,
  quickHeapMebibytes: 48,
  milliseconds: 2000,
  heapMebibytes: 64,
  slow: 16,
  slowOfOne: 4,
};

/** Texts, since they are cheap to hand over. Without metadata the schema alone is looked at. */
export interface SchemaInput {
  readonly schema: string;
  readonly metadata?: string;
}

export type SchemaOutput =
  | { readonly kind: 'fits' }
  | { readonly kind: 'misfits'; readonly errors: readonly { readonly at: string; readonly message: string }[] }
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'too_much_code' };
