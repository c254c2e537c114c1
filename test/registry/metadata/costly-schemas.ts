import type { JsonObject } from '../../../src/kernel/format/json.ts';

/** Schemas that cost much more than their length, and metadata that makes them do so. */
export interface CostlySchema {
  readonly schema: JsonObject;
  readonly metadata: JsonObject;
}

export const costlySchemas: Readonly<Record<string, CostlySchema>> = {
  backtracking: { schema: { properties: { s: { pattern: '^(a+)+$' } } }, metadata: { s: `${'a'.repeat(40)}!` } },
  doubling: { schema: doubling(30), metadata: { a: { z: 2 } } },
  comparing: {
    schema: { properties: { l: { uniqueItems: true } } },
    metadata: { l: Array.from({ length: 9_500 }, (_, index) => ({ index })) },
  },
};

/** Each level applies the one below twice; only below `a`, so that registering it is quick. */
function doubling(levels: number): JsonObject {
  const below = (level: number): JsonObject => ({ anyOf: [{ $ref: `#/$defs/d${level}` }, { $ref: `#/$defs/d${level}` }] });
  const definitions: Record<string, JsonObject> = { d0: { required: ['z'], properties: { z: { const: 1 } } } };
  for (let level = 1; level <= levels; level++) definitions[`d${level}`] = below(level - 1);
  return { $defs: definitions, properties: { a: { $ref: `#/$defs/d${levels}` } } };
}

/** `count` places that refer to one definition of `rules` rules. */
export function manyReferences(count: number, rules: number): JsonObject {
  const entries = (name: string, length: number, rule: (index: number) => JsonObject): JsonObject =>
    Object.fromEntries(Array.from({ length }, (_, index) => [`${name}${index}`, rule(index)]));
  return {
    $defs: { large: { properties: entries('p', rules, (index) => ({ type: 'string', minLength: index, pattern: `^x${index}` })) } },
    properties: entries('q', count, () => ({ $ref: '#/$defs/large' })),
  };
}
