/** Requests made from the server's own description of itself, with values that break programs. */

export interface Operation {
  readonly method: string;
  /** As the description has it: `/packages/{id}`. */
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  /** The statuses that the description names. */
  readonly statuses: ReadonlySet<string>;
}

export interface OddRequest {
  readonly operation: Operation;
  readonly url: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The query parameter that the value is of; a refusal names it. */
  readonly parameter?: string;
  /** Likewise, and it is refused. */
  readonly refusedFor?: string;
  /** A value can make the path another route's, or none's. */
  readonly mayStray?: boolean;
}

interface Described {
  readonly parameters?: Operation['parameters'];
  readonly responses: Readonly<Record<string, unknown>>;
}

export const oddTexts: readonly string[] = [
  '',
  '\u0000',
  'a\u0000b',
  '\u0085',
  '\u202e',
  '\u{1f4a9}',
  '\ufeff',
  "' or 1=1 --",
  '%',
  '_',
  '\\',
  '"',
  '{}',
  '[1]',
  'null',
  '0',
  '-1',
  '1.5',
  '1e400',
  '9007199254740991',
  '9223372036854775807',
  '9223372036854775808',
  `1${'0'.repeat(400)}`,
  '1e999',
  'NaN',
  'Infinity',
  '__proto__',
  'constructor',
  '9007199254740993',
  '99999999999999999999',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '0000-01-01T00:00:00+23:59',
  '../..',
  'x'.repeat(300),
  'x'.repeat(1100),
  '01890000-0000-7000-8000-000000000000',
  `sha256:${'0'.repeat(64)}`,
  `none:${'0'.repeat(64)}`,
];

const oddValues: readonly unknown[] = [...oddTexts, null, 0, -1, 1.5, 2 ** 53, true, [], {}, { $ref: '#' }, '\ud800'];

/** Of an OpenAPI document. */
export function operationsOf(description: unknown): readonly Operation[] {
  const { paths } = description as { readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], responses }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      statuses: new Set(Object.keys(responses)),
    })),
  );
}

/** Every parameter of every operation with every odd text. */
export function* oddParameters(operations: readonly Operation[]): Generator<OddRequest> {
  for (const operation of operations)
    for (const parameter of operation.parameters)
      for (const text of oddTexts) {
        if (parameter.in === 'path') yield { operation, url: filled(operation.path, parameter.name, text), mayStray: true };
        else if (parameter.in === 'query') {
          const url = filled(operation.path);
          const name = parameter.name === 'metadata.<key>' ? 'metadata.k' : parameter.name;
          const pair = `${encodeURIComponent(name)}=${encodeURIComponent(text)}`;
          yield { operation, url: `${url}?${pair}`, parameter: name };
          if (text === 'null')
            for (const query of oddlyWritten(encodeURIComponent(name))) yield { operation, url: `${url}?${query}`, refusedFor: name };
          if (name === 'metadata.k') yield { operation, url: `${url}?metadata.${encodeURIComponent(text)}=1` };
        }
      }
}

/**
 * A parameter as no client should write it: twice, as an array, an object, half a character, an escape that is none,
 * and far too long.
 */
function oddlyWritten(name: string): readonly string[] {
  const long = `${name}=${'x'.repeat(20_000)}`;
  // Any text is a key of metadata.
  const nested = name.startsWith('metadata.') ? [] : [`${name}[]=a`, `${name}[a]=1`];
  return [...nested, `${name}=a&${name}=b`, name, `${name}=%ED%A0%80`, `${name}=%`, `${name}=%FF`, long];
}

/** Every member of every JSON body with every odd value; `id` is of a package that is open. */
export function* oddBodies(operations: readonly Operation[], id: string): Generator<OddRequest> {
  let made = 0;
  for (const [path, bodyOf] of bodies) {
    const operation = operations.find((each) => each.method === 'POST' && each.path === path);
    if (operation === undefined) throw new Error(`POST ${path} is not described.`);
    const url = path.replace('{id}', id);
    for (const value of oddValues) {
      const headers = { 'content-type': 'application/json', ...(path === '/write-sessions' ? { 'idempotency-key': `${made++}` } : {}) };
      yield { operation, url, body: JSON.stringify(bodyOf(value)), headers };
    }
    yield { operation, url, body: '{}', headers: { 'content-type': 'text/plain' } };
  }
}

const aboutPackage = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
const announced = { name: 'a', sha256: '0'.repeat(64), size_bytes: 1 };
const aboutSession = {
  ...{ scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60 },
  objects: [announced],
};
const aboutBytes = { relative_path: 'a', content_address: `sha256:${'0'.repeat(64)}`, size_bytes: 1 };

const bodies: readonly (readonly [path: string, bodyOf: (value: unknown) => unknown])[] = [
  ...['name', 'producer', 'subject', 'retention_class', 'metadata', 'metadata_schema_slug'].map(
    (member) => ['/packages', (value: unknown) => ({ ...aboutPackage, [member]: value })] as const,
  ),
  ['/packages', (value) => ({ ...aboutPackage, metadata: { [String(value)]: value } })],
  ['/metadata-schemas', (value) => ({ slug: value, json_schema: {} })],
  ['/metadata-schemas', (value) => ({ slug: 'd', json_schema: { description: value } })],
  ['/packages/{id}/retention/holds', (value) => ({ reason: value })],
  ['/packages/{id}/retention/extensions', (value) => ({ reason: 'r', new_expires_at: value })],
  ['/packages/{id}/retention/extensions', (value) => ({ reason: value, extend_by_seconds: value })],
  ['/packages/{id}/finalize', (value) => ({ files_digest: value })],
  ...Object.keys(aboutSession).map((member) => ['/write-sessions', (value: unknown) => ({ ...aboutSession, [member]: value })] as const),
  ...[...Object.keys(announced), 'media_type'].map(
    (member) => ['/write-sessions', (value: unknown) => ({ ...aboutSession, objects: [{ ...announced, [member]: value }] })] as const,
  ),
  ['/packages/{id}/archive', (value) => ({ relative_paths: [value] })],
  ...['expected_size_bytes', 'media_type'].map((member) => ['/uploads', (value: unknown) => ({ [member]: value })] as const),
  ...['package_id', 'relative_path', 'media_type', 'annotations', 'content_address'].map(
    (member) => ['/uploads/{id}/complete', (value: unknown) => ({ package_id: value, relative_path: 'a', [member]: value })] as const,
  ),
  ...['relative_path', 'content_address', 'size_bytes', 'media_type'].map(
    (member) => ['/packages/{id}/files', (value: unknown) => ({ items: [{ ...aboutBytes, [member]: value }] })] as const,
  ),
];

function filled(path: string, name?: string, text = ''): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, each: string) => encodeURIComponent(each === name ? text : ordinary(each)));
}

function ordinary(name: string): string {
  if (name === 'content_address') return `sha256:${'0'.repeat(64)}`;
  return name === 'slug' ? 's' : '01890000-0000-7000-8000-000000000000';
}
