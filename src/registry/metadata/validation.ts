import { type ConfinedBounds, createConfined, type Outcome } from '../../confined/confined.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { canonicalJson, type JsonObject } from '../../kernel/format/json.ts';
import { moduleUrl } from '../../runtime/module-url.ts';
import {
  maximumCode,
  maximumMetadataLength,
  maximumSchemaLength,
  type SchemaInput,
  type SchemaOutput,
  schemaBounds,
} from './schema-bounds.ts';

/**
 * Validates metadata against registered schemas (JSON Schema 2020-12), in a thread that is killed beyond
 * `schema-bounds.ts`.
 */
export interface MetadataValidator {
  /**
   * Throws `invalid_metadata_schema` when it is not a schema that can be used, `metadata_schema_too_costly` with the
   * bound in `info`, and `too_busy` when too much that is slow waits already.
   */
  checkSchema(actor: string, jsonSchema: JsonObject): Promise<void>;
  /** Throws `metadata_mismatch` with a JSON pointer to what does not fit, and what `checkSchema` throws. */
  validate(actor: string, slug: string, jsonSchema: JsonObject, metadata: JsonObject): Promise<void>;
  /** Stops what is under way, which throws `cancelled`. */
  close(): Promise<void>;
}

/** What an error is about. */
interface Subject {
  /** Begins a sentence. */
  readonly name: string;
  readonly field: string;
  readonly remedy: string;
}

const newSchema: Subject = { name: 'This metadata schema', field: '/json_schema', remedy: 'Make it simpler.' };

/** `now` in milliseconds. */
export function createMetadataValidator(now: () => number, bounds: ConfinedBounds = schemaBounds): MetadataValidator {
  const threads = createConfined<SchemaInput, SchemaOutput>(moduleUrl('./schema-work.ts', import.meta.url), bounds, now);
  return {
    async checkSchema(actor, jsonSchema) {
      const schema = canonicalJson(jsonSchema);
      checkLength(schema, newSchema);
      usable(await threads.run({ schema }, actor, ''), newSchema, bounds);
    },
    async validate(actor, slug, jsonSchema, metadata) {
      const subject: Subject = {
        name: `The metadata schema "${slug}"`,
        field: '/metadata_schema_slug',
        remedy: 'Register a simpler one under a new slug, or send other metadata.',
      };
      const input = { schema: canonicalJson(jsonSchema), metadata: canonicalJson(metadata) };
      checkLength(input.schema, subject);
      if (input.metadata.length > maximumMetadataLength)
        throw new ArtifactstoreError('body_too_large', `Metadata with a schema is at most ${maximumMetadataLength} characters long.`, {
          field: '/metadata',
          info: { bound: 'metadata_characters', limit: maximumMetadataLength },
        });
      const output = usable(await threads.run(input, actor, slug), subject, bounds);
      if (output.kind === 'misfits') throw mismatch(slug, output.errors);
    },
    close: () => threads.close(),
  };
}

function checkLength(schema: string, { name, field }: Subject): void {
  if (schema.length <= maximumSchemaLength) return;
  throw new ArtifactstoreError('invalid_metadata_schema', `${name} is longer than ${maximumSchemaLength} characters.`, {
    field,
    info: { bound: 'schema_characters', limit: maximumSchemaLength },
  });
}

function usable(
  outcome: Outcome<SchemaOutput>,
  subject: Subject,
  bounds: ConfinedBounds,
): SchemaOutput & { readonly kind: 'fits' | 'misfits' } {
  if (outcome.kind === 'over') {
    if (outcome.bound === 'waiting')
      throw new ArtifactstoreError('too_busy', `Too many slow metadata schemas are being applied already; ask again later.`, {
        field: subject.field,
        info: { bound: 'schema_waiting', limit: bounds.slowOfOne },
      });
    if (outcome.bound === 'time') throw tooCostly(subject, 'schema_time', `${bounds.milliseconds / 1000} seconds`, bounds.milliseconds);
    throw tooCostly(subject, 'schema_memory', `${bounds.heapMebibytes} MiB of memory`, bounds.heapMebibytes * 1_048_576);
  }
  const { output } = outcome;
  if (output.kind === 'too_much_code')
    throw tooCostly(subject, 'schema_code', `${maximumCode} characters in its compiled form`, maximumCode);
  if (output.kind === 'unusable')
    throw new ArtifactstoreError(
      'invalid_metadata_schema',
      `${subject.name} is not a JSON Schema 2020-12 that can be used: ${output.reason}.`,
      {
        field: subject.field,
      },
    );
  return output;
}

function tooCostly({ name, field, remedy }: Subject, bound: string, much: string, limit: number): ArtifactstoreError {
  return new ArtifactstoreError('metadata_schema_too_costly', `${name} takes more than ${much}. ${remedy}`, {
    field,
    info: { bound, limit },
  });
}

function mismatch(slug: string, errors: readonly { readonly at: string; readonly message: string }[]): ArtifactstoreError {
  const [first] = errors;
  return new ArtifactstoreError(
    'metadata_mismatch',
    `The metadata does not fit the schema "${slug}": ${first?.at || '/'} ${first?.message ?? 'is not valid'}.`,
    {
      field: `/metadata${first?.at ?? ''}`,
      info: { errors: errors.map(({ at, message }) => ({ field: `/metadata${at}`, message })) },
    },
  );
}
