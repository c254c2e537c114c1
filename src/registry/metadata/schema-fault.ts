import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json.ts';

/**
 * What makes a schema useless although it is well formed, or undefined: a part that leads back to itself for the same
 * value, which would be applied for ever, and a rule that would be ignored. Where a part has an `$id` of its own, `#`
 * means that part, and references are not followed.
 */
export function schemaFault(schema: JsonObject): string | undefined {
  if (Object.hasOwn(schema, '$async')) return '$async is not part of JSON Schema';
  const done = new Set<JsonValue>();
  const above = new Set<JsonValue>();
  const anchors = new Map<string, JsonObject>();
  const parts: JsonObject[] = [];
  collect(schema, parts, anchors);

  const circular = (part: JsonValue | undefined): boolean => {
    if (!isJsonObject(part) || done.has(part)) return false;
    if (above.has(part)) return true;
    above.add(part);
    const found = sameValue(part).some((next) => circular(next));
    above.delete(part);
    done.add(part);
    return found;
  };
  /** The parts that are applied to the same value as this one, whatever the value is. */
  const sameValue = (part: JsonObject): (JsonValue | undefined)[] => {
    const { $ref, $dynamicRef, allOf, not, if: condition } = part;
    const all = Array.isArray(allOf) ? (allOf as readonly JsonValue[]) : [];
    return [resolve($ref), resolve($dynamicRef), ...all, not, condition];
  };
  const resolve = (reference: JsonValue | undefined): JsonValue | undefined => {
    if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
    if (reference === '#') return schema;
    if (!reference.startsWith('#/')) return anchors.get(reference.slice(1));
    let at: JsonValue | undefined = schema;
    for (const step of reference.slice(2).split('/')) {
      const name = unescaped(step);
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
      at = (at as JsonObject)[name];
    }
    return at;
  };

  if (parts.some(({ properties }) => isJsonObject(properties) && Object.hasOwn(properties, '__proto__')))
    return 'a rule for the property "__proto__" cannot be checked';
  if (parts.some((part) => part !== schema && typeof part.$id === 'string')) return undefined;
  for (const part of parts) {
    const { $dynamicRef } = part;
    if (typeof $dynamicRef === 'string' && /^#[^/]/.test($dynamicRef) && !anchors.has($dynamicRef.slice(1)))
      return `can't resolve reference ${$dynamicRef}`;
    if (circular(part)) return 'a part of it leads back to itself without end';
  }
  return undefined;
}

/**
 * All objects in it, few of which are no schemas, and the names that are given to them. Data (`const`, `enum`) is no
 * schema.
 */
function collect(value: JsonValue, parts: JsonObject[], anchors: Map<string, JsonObject>): void {
  if (Array.isArray(value)) for (const each of value as readonly JsonValue[]) collect(each, parts, anchors);
  if (!isJsonObject(value)) return;
  parts.push(value);
  for (const name of ['$anchor', '$dynamicAnchor']) {
    const anchor = value[name];
    if (typeof anchor === 'string') anchors.set(anchor, value);
  }
  for (const [key, each] of Object.entries(value))
    if (!['const', 'enum', 'default', 'examples'].includes(key)) collect(each, parts, anchors);
}

function unescaped(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}
