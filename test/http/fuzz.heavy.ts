import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { type Door, openDoor } from './open-door.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

const nasty = [
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

/** Whatever is asked with whatever values: the answer is one that the description names, and never that the server failed. */
for (const database of ['SQLite', 'PostgreSQL'] as const)
  describe(`requests made from the description, ${database}`, () => {
    let server: PostgresServer | undefined;
    let door: Door;
    let operations: readonly { readonly method: string; readonly path: string; readonly operation: Operation }[];
    before(async () => {
      if (database === 'PostgreSQL') server = await startPostgres();
      const environment = server === undefined ? {} : { ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() };
      door = await openDoor({ environment, limits: { heartbeat: 50 } });
      const { paths } = (await (await door.call('/openapi.json')).json()) as { paths: Record<string, Record<string, Operation>> };
      operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
      );
    });
    after(async () => {
      await door[Symbol.asyncDispose]();
      await server?.stop();
    });

    type Asked = (typeof operations)[number];

    async function holds({ method, operation }: Asked, url: string, init: RequestInit = {}, mayStray = false): Promise<void> {
      const response = await door.call(url, { ...init, method });
      const text = await response.text();
      const said = `${method} ${url} ${String(init.body)}: ${response.status} ${text.slice(0, 300)}`;
      assert.ok(response.status < 500, said);
      assert.ok(mayStray || String(response.status) in operation.responses, `not described: ${said}`);
    }

    const idOf = (name: string) =>
      name === 'content_address' ? `sha256:${'0'.repeat(64)}` : name === 'slug' ? 's' : '01890000-0000-7000-8000-000000000000';
    const filled = (path: string, name?: string, value = '') =>
      path.replaceAll(/\{(\w+)\}/g, (_all, each: string) => encodeURIComponent(each === name ? value : idOf(each)));

    it('holds for every parameter', async () => {
      for (const each of operations)
        for (const parameter of each.operation.parameters ?? [])
          for (const value of nasty) {
            // A value can make the path another route's, or none's.
            if (parameter.in === 'path') await holds(each, filled(each.path, parameter.name, value), {}, true);
            else if (parameter.in === 'query') {
              const name = parameter.name === 'metadata.<key>' ? 'metadata.k' : parameter.name;
              await holds(each, `${filled(each.path)}?${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
              if (name === 'metadata.k') await holds(each, `${filled(each.path)}?metadata.${encodeURIComponent(value)}=1`);
            }
          }
    });

    it('holds for every text in a body, whatever it says', async () => {
      const { id } = await door.newPackage();
      const bodies: readonly (readonly [path: string, url: string, body: (value: unknown) => unknown])[] = [
        ...['name', 'producer', 'subject', 'retention_class', 'metadata', 'metadata_schema_slug'].map(
          (member) =>
            [
              '/packages',
              '/packages',
              (value: unknown) => ({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient', [member]: value }),
            ] as const,
        ),
        [
          '/packages',
          '/packages',
          (value) => ({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient', metadata: { [String(value)]: value } }),
        ],
        ['/metadata-schemas', '/metadata-schemas', (value) => ({ slug: value, json_schema: {} })],
        ['/metadata-schemas', '/metadata-schemas', (value) => ({ slug: 'd', json_schema: { description: value } })],
        ['/packages/{id}/retention/holds', `/packages/${id}/retention/holds`, (value) => ({ reason: value })],
        [
          '/packages/{id}/retention/extensions',
          `/packages/${id}/retention/extensions`,
          (value) => ({ reason: 'r', new_expires_at: value }),
        ],
        [
          '/packages/{id}/retention/extensions',
          `/packages/${id}/retention/extensions`,
          (value) => ({ reason: value, extend_by_seconds: value }),
        ],
        ['/packages/{id}/finalize', `/packages/${id}/finalize`, (value) => ({ files_digest: value })],
        ...['relative_path', 'content_address', 'size_bytes', 'media_type'].map(
          (member) =>
            [
              '/packages/{id}/files',
              `/packages/${id}/files`,
              (value: unknown) => ({
                items: [{ relative_path: 'a', content_address: `sha256:${'0'.repeat(64)}`, size_bytes: 1, [member]: value }],
              }),
            ] as const,
        ),
      ];
      for (const [path, url, body] of bodies) {
        const each = operations.find((one) => one.method === 'POST' && one.path === path)!;
        for (const value of [...nasty, null, 0, -1, 1.5, 2 ** 53, true, [], {}, { $ref: '#' }, '\ud800'])
          await holds(each, url, { body: JSON.stringify(body(value)), headers: { 'content-type': 'application/json' } });
        await holds(each, url, { body: '{}', headers: { 'content-type': 'text/plain' } });
      }
    });
  });
