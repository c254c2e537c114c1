import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ArtifactstoreError } from '../kernel/error.ts';
import { canonicalJson, type JsonObject } from '../kernel/json.ts';

/** Validates metadata against registered schemas (JSON Schema 2020-12). Compiled schemas are kept, since they never change. */
export interface MetadataValidator {
  /** Throws `invalid_metadata_schema` when it is not a schema that can be used. */
  checkSchema(jsonSchema: JsonObject): void;
  /** Throws `metadata_mismatch` with a JSON pointer to what does not fit. */
  validate(slug: string, jsonSchema: JsonObject, metadata: JsonObject): void;
}

const keptSchemas = 128;
const maximumSchemaLength = 1_048_576;

export function createMetadataValidator(): MetadataValidator {
  const kept = new Map<string, ValidateFunction>();
  return {
    checkSchema(jsonSchema) {
      compile(jsonSchema);
    },
    validate(slug, jsonSchema, metadata) {
      let validate = kept.get(slug);
      if (validate === undefined) {
        validate = compile(jsonSchema);
        if (kept.size >= keptSchemas) kept.delete(kept.keys().next().value!);
        kept.set(slug, validate);
      }
      if (validate(metadata)) return;
      const [first] = validate.errors ?? [];
      throw new ArtifactstoreError(
        'metadata_mismatch',
        `The metadata does not fit the schema "${slug}": ${first?.instancePath || '/'} ${first?.message ?? 'is not valid'}.`,
        {
          field: `/metadata${first?.instancePath ?? ''}`,
          info: {
            errors: (validate.errors ?? [])
              .slice(0, 10)
              .map((error) => ({ field: `/metadata${error.instancePath}`, message: error.message })),
          },
        },
      );
    },
  };
}

function compile(jsonSchema: JsonObject): ValidateFunction {
  if (canonicalJson(jsonSchema).length > maximumSchemaLength)
    throw new ArtifactstoreError('invalid_metadata_schema', 'A metadata schema is at most 1 MiB long.', { field: '/json_schema' });
  // One validator a schema: an `$id` in one must not be visible to, or collide with, another.
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true, logger: false });
  addFormats.default(ajv);
  try {
    if (Reflect.get(jsonSchema, '$async') !== undefined) throw new Error('$async is not part of JSON Schema');
    return ajv.compile(jsonSchema);
  } catch (error) {
    throw new ArtifactstoreError('invalid_metadata_schema', `This is not a usable JSON Schema 2020-12: ${(error as Error).message}.`, {
      field: '/json_schema',
    });
  }
}
