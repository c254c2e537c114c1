import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { keptObject } from '../../kernel/format/json-text.ts';
import { keptCharacters, keptSchemas, maximumCode, type SchemaInput, type SchemaOutput } from './schema-bounds.ts';
import { schemaFault } from './schema-fault.ts';

const maximumMessage = 1000;
/** What a full call stack says. */
const endless = 'it leads back to itself without end, or has too many rules side by side or within each other';

interface Compiled {
  readonly validate: ValidateFunction;
  readonly characters: number;
}

class TooMuchCode extends Error {
  override readonly name = 'TooMuchCode';
}

const options = { strict: false, allErrors: false, validateFormats: true, logger: false, ownProperties: true } as const;
/** Holds schemas to the rules of JSON Schema itself; that check is compiled once, not for each schema. */
const checker = new Ajv2020(options);
/** Compiled schemas, the one that was used last at the end. Schemas never change, so the text is the key. */
const kept = new Map<string, Compiled>();

/** Runs in a confined thread: it may take any time and memory. */
export function work({ schema, metadata }: SchemaInput): SchemaOutput {
  try {
    const { validate } = compiled(schema);
    // An object without members shows whether the schema can be applied at all.
    const value: unknown = metadata === undefined ? {} : JSON.parse(metadata);
    if (validate(value) || metadata === undefined) return { kind: 'fits' };
    const errors = (validate.errors ?? []).slice(0, 10);
    return {
      kind: 'misfits',
      errors: errors.map(({ instancePath, message }) => ({ at: short(instancePath), message: short(message ?? 'is not valid') })),
    };
  } catch (error) {
    if (error instanceof TooMuchCode) return { kind: 'too_much_code' };
    const reason = error instanceof RangeError ? endless : (error as Error).message;
    return { kind: 'unusable', reason: short(reason) };
  }
}

/** Patterns, keys and the like may be as long as what was sent. */
function short(text: string): string {
  return text.length <= maximumMessage ? text : `${text.slice(0, maximumMessage)}…`;
}

function compiled(text: string): Compiled {
  const found = kept.get(text) ?? compile(text);
  kept.delete(text);
  if (found.characters > keptCharacters) return found;
  kept.set(text, found);
  let characters = 0;
  for (const each of kept.values()) characters += each.characters;
  for (const [key, each] of kept) {
    if (kept.size <= keptSchemas && characters <= keptCharacters) break;
    kept.delete(key);
    characters -= each.characters;
  }
  return found;
}

function compile(text: string): Compiled {
  const schema = keptObject(text);
  const fault = schemaFault(schema);
  if (fault !== undefined) throw new Error(fault);
  checker.validateSchema(schema, true);
  let code = 0;
  // One validator a schema: an `$id` in one must not be visible to, or collide with, another. What is referred to is
  // compiled once and called, not copied to each place that refers to it.
  const ajv = new Ajv2020({
    ...options,
    validateSchema: false,
    inlineRefs: false,
    code: {
      process: (source) => {
        code += source.length;
        if (code > maximumCode) throw new TooMuchCode();
        return source;
      },
    },
  });
  addFormats.default(ajv);
  return { validate: ajv.compile(schema), characters: text.length + code };
}
