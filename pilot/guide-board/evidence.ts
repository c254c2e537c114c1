import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonValue } from 'artifactstore';
import { isObject } from '../ingest/document.ts';
import { ownSchemaPath, readSchema } from '../ingest/schema.ts';
import type { Library } from '../tools.ts';

/** The evidence items of one run, as they are read. */
export interface Evidence {
  /** One file: an item, or a list of them. Throws what is wrong with it, and where. */
  add(relativePath: string, value: JsonValue): void;
  /** All of them belong to the run. */
  checkRun(runId: string): void;
  /** How many there are of each result. */
  counts(): Readonly<Record<string, number>>;
}

export function createEvidence(library: Library): Evidence {
  const validate = validator(library);
  const counted = new Map<string, number>();
  /** One path for each run that items name. */
  const runs = new Map<string, string>();
  return {
    add(relativePath, value) {
      const list = Array.isArray(value);
      for (const [index, item] of (list ? (value as readonly JsonValue[]) : [value]).entries()) {
        const place = `${relativePath}#${list ? `/${index}` : ''}`;
        if (!validate(item) || !isObject(item)) {
          const [first] = validate.errors ?? [];
          throw new library.ArtifactstoreError(
            'invalid_value',
            `"${relativePath}" holds no evidence item: ${list ? `/${index}` : ''}${first?.instancePath || (list ? '' : '/')} ${faultOf(first)}.`,
            { field: `${place}${first?.instancePath ?? ''}` },
          );
        }
        const { result, run_id: runId } = item;
        counted.set(String(result), (counted.get(String(result)) ?? 0) + 1);
        if (!runs.has(String(runId))) runs.set(String(runId), relativePath);
      }
    },
    checkRun(runId) {
      for (const [named, path] of runs)
        if (named !== runId)
          throw new library.ArtifactstoreError('invalid_value', `"${path}" is evidence of the run "${named}", and this is "${runId}".`, {
            field: `${path}#/run_id`,
          });
    },
    counts: () => Object.fromEntries([...counted].sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}

function validator(library: Library): ValidateFunction {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  return ajv.compile(readSchema(library, ownSchemaPath('guide-board.evidence.v1.json')).jsonSchema);
}

function faultOf(error: NonNullable<ValidateFunction['errors']>[number] | undefined): string {
  const allowed: unknown = error?.params.allowedValues;
  return `${error?.message ?? 'is not valid'}${Array.isArray(allowed) ? ` (${allowed.join(', ')})` : ''}`;
}
