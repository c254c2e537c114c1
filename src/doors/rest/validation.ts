import type { TSchema } from '#typebox';
import { Compile } from '#typebox/compile';
import { queryText } from '../../http/api.ts';
import { ArtifactstoreError, type ErrorCode } from '../../kernel/error.ts';
import { isLonger } from '../../kernel/format/text-rules.ts';
import { type LimitName, limitOfSchema, bounds as limits } from './bounds.ts';

/** What checks one part of a request; an error says which code and which field. */
type Check = (value: unknown) => { readonly value: unknown } | { readonly error: ArtifactstoreError };

interface RouteSchema {
  readonly schema: unknown;
  readonly httpPart?: string;
}

/**
 * Compiles a route's schemas. Nothing is coerced, defaulted or dropped: a body that is not of the schema's shape is
 * `malformed_request`, one with a value beyond the schema's bounds is `invalid_value`. Query strings arrive as text and
 * are read here, each parameter once.
 */
export function compileValidator({ schema, httpPart }: RouteSchema): Check {
  if (httpPart === 'querystring') return checkQuery(schema as QuerySchema);
  if (httpPart === 'params') return (value) => ({ value });
  const compiled = Compile(withoutPatterns(schema) as TSchema);
  return (value) => {
    if (compiled.Check(value)) return { value };
    return { error: bodyError(compiled.Errors(value), schema as BodySchema) };
  };
}

/**
 * A schema without what it says of texts that have a pattern, and of values whose refusal has a code of its own
 * (`refusedAs`): the registry refuses those in words of its own, which name the rule. The patterns and bounds are its
 * own as well; here they are for readers.
 */
export function withoutPatterns(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutPatterns);
  if (typeof schema !== 'object' || schema === null) return schema;
  const unchecked = new Set<string>([
    ...('pattern' in schema && typeof schema.pattern === 'string' ? ofTexts : []),
    ...(errorCode in schema ? ofBounds : []),
  ]);
  return Object.fromEntries(
    Object.entries(schema).flatMap(([name, value]) => (unchecked.has(name) ? [] : [[name, withoutPatterns(value)]])),
  );
}

const ofTexts = ['pattern', 'minLength', 'maxLength'] as const;
const ofBounds = ['minimum', 'maximum', 'minItems'] as const;
const errorCode = 'x-error-code';

/** Says in a schema with which code the registry refuses a value beyond the schema's bounds. */
export function refusedAs(code: ErrorCode): Readonly<Record<typeof errorCode, ErrorCode>> {
  return { [errorCode]: code };
}

/** Of a text in a query whose schema states no other. */
export const maximumQueryLength: number = limits.parameter_characters.value;

interface QuerySchema {
  readonly properties: Readonly<Record<string, ParameterSchema>>;
  readonly required?: readonly string[];
  /** Parameters by a prefix of their name, such as `metadata.`. */
  readonly patternProperties?: Readonly<Record<string, ParameterSchema>>;
}

interface ParameterSchema {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly enum?: readonly string[];
}

function checkQuery(schema: QuerySchema): Check {
  const patterns = Object.entries(schema.patternProperties ?? {}).map(([pattern, parameter]) => [new RegExp(pattern), parameter] as const);
  const parameterOf = (name: string): ParameterSchema | undefined =>
    Object.hasOwn(schema.properties, name) ? schema.properties[name] : patterns.find(([pattern]) => pattern.test(name))?.[1];
  return (query) => {
    try {
      const values = new Map<string, string | number>();
      for (const [name, text] of readPairs((query as { readonly [queryText]?: string } | null)?.[queryText] ?? '')) {
        const parameter = parameterOf(name);
        if (parameter === undefined)
          throw new ArtifactstoreError('unknown_parameter', `This route has no query parameter "${printable(name)}".`, {
            field: printable(name),
          });
        if (values.has(name)) throw malformedParameter(name, 'is given more than once');
        if (text === noValue) throw malformedParameter(name, 'has no value; write name=value');
        values.set(name, readParameter(name, text, parameter));
      }
      for (const name of schema.required ?? []) if (!values.has(name)) throw malformedParameter(name, 'is missing');
      return { value: Object.fromEntries(values) };
    } catch (error) {
      if (error instanceof ArtifactstoreError) return { error };
      throw error;
    }
  };
}

/** Of a parameter without an equals sign. */
const noValue = Symbol('no value');

function readPairs(text: string): readonly (readonly [name: string, value: string | typeof noValue])[] {
  if (text === '') return [];
  return text.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? noValue : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined)
      throw new ArtifactstoreError('malformed_request', 'The query string has a percent escape that is malformed or not UTF-8.');
    return [name, value];
  });
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function readParameter(name: string, text: string, parameter: ParameterSchema): string | number {
  if (parameter.type === 'integer') {
    const minimum = parameter.minimum ?? 0;
    const maximum = parameter.maximum ?? Number.MAX_SAFE_INTEGER;
    const value = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum))
      throw malformedParameter(
        name,
        `must be a whole number from ${minimum} to ${maximum}`,
        value > maximum ? limitOfSchema('maximum', maximum) : undefined,
      );
    return value;
  }
  if (parameter.enum !== undefined && !parameter.enum.includes(text))
    throw malformedParameter(name, `must be one of ${parameter.enum.join(', ')}`);
  const { maxLength = maximumQueryLength } = parameter;
  if (isLonger(text, maxLength)) {
    const limit = maxLength === maximumQueryLength ? 'parameter_characters' : limitOfSchema('maxLength', maxLength);
    throw malformedParameter(name, `is longer than ${maxLength} characters`, limit);
  }
  return text;
}

function malformedParameter(name: string, fault: string, bound?: LimitName): ArtifactstoreError {
  return new ArtifactstoreError('malformed_request', `The query parameter "${printable(name)}" ${fault}.`, {
    field: printable(name),
    ...(bound === undefined ? {} : { info: { bound, limit: limits[bound].value } }),
  });
}

function printable(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

interface SchemaError {
  readonly schemaPath: string;
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** Keywords that are about a value's bounds; every other is about the body's shape. */
const bounds = new Set([
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'enum',
  'const',
]);

interface BodySchema {
  /** Members of which a body has exactly one. */
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
}

function bodyError(errors: readonly SchemaError[], schema: BodySchema): ArtifactstoreError {
  const error = errors.find(({ keyword }) => keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') ?? errors[0];
  if (error === undefined)
    return new ArtifactstoreError('malformed_request', 'The body does not have the shape that this route takes.', { field: '' });
  const choice = errors.find(({ keyword }) => keyword === 'oneOf');
  if (
    choice !== undefined &&
    schema.oneOf !== undefined &&
    errors.every((each) => each === choice || each.schemaPath.includes('/oneOf/'))
  ) {
    const names = schema.oneOf.flatMap(({ required }) => required);
    return new ArtifactstoreError('malformed_request', `The body has exactly one of ${names.map((name) => `"${name}"`).join(' and ')}.`, {
      field: `/${names[0]}`,
    });
  }
  const field = error.instancePath + namedProperty(error.params);
  const code = bounds.has(error.keyword) ? 'invalid_value' : 'malformed_request';
  const where = field === '' ? 'The body' : `"${printable(field)}"`;
  const told = toldOf(error);
  const fault = namedProperty(error.params) === '' ? told : error.keyword === 'required' ? 'is missing' : 'is not known here';
  const limit = 'limit' in error.params ? error.params.limit : undefined;
  const bound = limitOfSchema(error.keyword, limit);
  return new ArtifactstoreError(code, `${where} ${fault}.`, { field, ...(bound === undefined ? {} : { info: { bound, limit } }) });
}

function toldOf({ keyword, message, params }: SchemaError): string {
  if (keyword === 'pattern') return 'contains a character that is not legal here';
  return keyword === 'minLength' && 'limit' in params && params.limit === 1 ? 'must not be empty' : message;
}

/** The JSON pointer's last step when an error is about a property that is missing or one too many. */
function namedProperty(parameters: object): string {
  for (const names of Object.values(parameters))
    if (Array.isArray(names) && typeof names[0] === 'string') return `/${names[0].replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return '';
}
