import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type Door, openDoor } from '../open-door.ts';

/** Every route there is. */
const routes = [
  'GET /',
  'GET /health',
  'GET /livez',
  'GET /readyz',
  'GET /metrics',
  'GET /usage',
  'GET /producers',
  'GET /expiring-packages',
  'GET /whoami',
  'GET /packages',
  'POST /packages',
  'GET /packages/{id}',
  'DELETE /packages/{id}',
  'POST /packages/{id}/finalize',
  'GET /packages/{id}/manifest',
  'GET /packages/{id}/manifest.json',
  'GET /packages/{id}/archive',
  'POST /packages/{id}/archive',
  'GET /packages/{id}/files',
  'POST /packages/{id}/files',
  'GET /packages/{id}/retention',
  'POST /packages/{id}/retention/extensions',
  'POST /packages/{id}/retention/holds',
  'DELETE /packages/{id}/retention/holds/{hold_id}',
  'PUT /packages/{id}/files/{relative_path}',
  'GET /packages/{id}/files/{relative_path}',
  'HEAD /packages/{id}/files/{relative_path}',
  'OPTIONS /packages/{id}/files/{relative_path}',
  'GET /files',
  'GET /files/{id}',
  'GET /files/{id}/download',
  'HEAD /files/{id}/download',
  'GET /objects/{content_address}',
  'HEAD /objects/{content_address}',
  'GET /objects/{content_address}/{file_name}',
  'HEAD /objects/{content_address}/{file_name}',
  'POST /write-sessions',
  'GET /write-sessions',
  'GET /write-sessions/{id}',
  'DELETE /write-sessions/{id}',
  'PUT /write-sessions/{id}/objects/{relative_path}',
  'POST /write-sessions/{id}/uploads',
  'POST /write-sessions/{id}/commit',
  'POST /uploads',
  'GET /uploads',
  'OPTIONS /uploads',
  'GET /uploads/{id}',
  'PUT /uploads/{id}',
  'PATCH /uploads/{id}',
  'DELETE /uploads/{id}',
  'POST /uploads/{id}/complete',
  'GET /events',
  'GET /metadata-schemas',
  'POST /metadata-schemas',
  'GET /metadata-schemas/{slug}',
  'GET /retention-classes',
];

interface Description {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly headers: Readonly<Record<string, object>>;
    readonly securitySchemes: object;
  };
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly requestBody?: { readonly required: boolean };
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: object }[];
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly headers: object;
        readonly links?: Readonly<Record<string, { readonly operationId: string; readonly parameters: object }>>;
        readonly content?: Readonly<Record<string, { readonly schema: object }>>;
      }
    >
  >;
}

const describe = async (door: Door): Promise<Description> => (await (await fetch(`${door.url}/openapi.json`)).json()) as Description;

test('it lists exactly the routes', async () => {
  await using door = await openDoor();
  const { paths } = await describe(door);
  const listed = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(listed.sort(), routes.toSorted());
});

test('it is OpenAPI 3.1: every reference leads somewhere, every parameter is described, every schema is one', async () => {
  await using door = await openDoor();
  const description = await describe(door);
  assert.match(description.openapi, /^3\.1\./);
  assert.ok(description.info.title !== '' && description.info.version !== '');
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'https://artifactstore.test/openapi', ...description });
  for (const name of Object.keys(description.components.schemas))
    ajv.compile({ $ref: `https://artifactstore.test/openapi#/components/schemas/${name}` });
  for (const reference of JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)) {
    const [, kind, name] = /^#\/components\/(schemas|headers)\/([\w-]+)$/.exec(reference[1]!) ?? [];
    assert.ok(kind !== undefined && name! in description.components[kind as 'schemas' | 'headers'], reference[1]);
  }
  for (const [path, methods] of Object.entries(description.paths))
    for (const [method, operation] of Object.entries(methods)) {
      assert.ok(operation.summary, `${method} ${path} has no summary`);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = (operation.parameters ?? []).filter((one) => one.in === 'path');
      assert.deepEqual(described.map(({ name }) => name).sort(), inPath.sort(), `${method} ${path}`);
      assert.ok(described.every(({ required }) => required === true));
      for (const { name, schema } of operation.parameters ?? []) {
        const { type, maximum } = schema as { readonly type?: string; readonly maximum?: number };
        if (type === 'integer') assert.ok(Number.isSafeInteger(maximum), `${method} ${path} does not say how large ${name} may be`);
      }
      assert.ok(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        `${method} ${path}`,
      );
      for (const [status, { content }] of Object.entries(operation.responses))
        if (Number(status) >= 400) assert.deepEqual(Object.keys(content ?? {}), method === 'head' ? [] : ['application/problem+json']);
    }
});

test('answers are as described', async () => {
  await using door = await openDoor();
  const description = await describe(door);
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'https://artifactstore.test/openapi', ...description });
  const { id } = await door.newPackage();
  await door.call(`/packages/${id}/files/a`, { method: 'PUT', body: 'a' });
  await door.call(`/packages/${id}/finalize`, { method: 'POST' });
  await door.json('/metadata-schemas', { slug: 's', json_schema: {} });
  const file = (await door.registry.files.find(id, 'a'))!;
  for (const [path, route] of [
    ['/', '/'],
    ['/health', '/health'],
    ['/livez', '/livez'],
    ['/packages', '/packages'],
    [`/packages/${id}`, '/packages/{id}'],
    [`/packages/${id}/files`, '/packages/{id}/files'],
    [`/files?digest=${file.content_address}`, '/files'],
    [`/files/${file.id}`, '/files/{id}'],
    ['/events', '/events'],
    ['/metadata-schemas', '/metadata-schemas'],
    ['/metadata-schemas/s', '/metadata-schemas/{slug}'],
    ['/retention-classes', '/retention-classes'],
    ['/packages/x', '/packages/{id}'],
  ] as const) {
    const response = await door.call(path, { headers: { accept: 'application/json' } });
    const type = response.headers.get('content-type')!.split(';')[0]!;
    const pointer = ['paths', route, 'get', 'responses', String(response.status), 'content', type, 'schema'];
    const steps = pointer.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')));
    const check = ajv.compile({ $ref: `https://artifactstore.test/openapi#/${steps.join('/')}` });
    const body = await response.json();
    assert.ok(check(body), `${path}: ${JSON.stringify(check.errors)}\n${JSON.stringify(body)}`);
  }
});

test('the pages for people load nothing from elsewhere, and no warning is written for them', async (context) => {
  await using door = await openDoor();
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  context.after(() => process.off('warning', warn));
  const response = await fetch(`${door.url}/docs`);
  const page = await response.text();
  assert.equal(response.status, 200);
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.doesNotMatch(policy, /https:|upgrade-insecure-requests/);
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!);
  assert.ok(links.length > 3);
  for (const link of links) {
    assert.match(link, /^\.?\/(?!\/)/);
    assert.equal((await fetch(new URL(link, `${door.url}/docs/`))).status, 200, link);
  }
  assert.match(page, /<title>artifactstore: the HTTP interface<\/title>/);
  assert.match(page, /theme\/artifactstore\.css/);
  // The bar at the top asks for another description's address, which the policy does not let it load.
  const script = await (await fetch(`${door.url}/docs/static/swagger-initializer.js`)).text();
  assert.match(script, /"layout":"BaseLayout"/);
  assert.deepEqual(warnings, []);
});

test('every operation has an id of its own, a tag that is described, and links that lead to operations with such parameters', async () => {
  await using door = await openDoor();
  const description = await describe(door);
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );
  const byId = new Map(operations.map(({ operation }) => [operation.operationId, operation]));
  assert.equal(byId.size, operations.length);
  const tags = new Set(description.tags.map(({ name }) => name));
  let links = 0;
  for (const { name, operation } of operations) {
    assert.match(operation.operationId, /^[a-z][A-Za-z]+$/, name);
    for (const tag of operation.tags) assert.ok(tags.has(tag), `${name}: ${tag}`);
    for (const answer of Object.values(operation.responses)) {
      assert.ok('X-Request-Id' in answer.headers, name);
      for (const link of Object.values(answer.links ?? {})) {
        links++;
        const target = byId.get(link.operationId)!;
        for (const parameter of Object.keys(link.parameters))
          assert.ok(
            target.parameters!.some((one) => one.name === parameter),
            `${name} -> ${link.operationId}: ${parameter}`,
          );
      }
    }
  }
  assert.ok(links > 20);
});

test('it says what the door checks: how long a text of a query is, what a body may be refused for, and where one may be left out', async () => {
  await using door = await openDoor();
  const { paths } = await describe(door);
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { parameters = [], requestBody, responses }] of Object.entries(methods)) {
      for (const { in: where, name, schema } of parameters) {
        const { type, maxLength, enum: values, anyOf } = schema as Readonly<Record<string, unknown>>;
        if (where === 'query' && type === 'string')
          assert.ok(maxLength !== undefined || values !== undefined || anyOf !== undefined, `${method} ${path} ${name}`);
      }
      if (requestBody !== undefined) assert.ok('408' in responses && '415' in responses, `${method} ${path}`);
      if (method === 'head') for (const { content } of Object.values(responses)) assert.equal(content, undefined);
    }
  assert.equal(paths['/packages']!.post!.requestBody!.required, true);
  assert.equal(paths['/packages/{id}/finalize']!.post!.requestBody!.required, false);
  assert.equal(paths['/packages/{id}/files/{relative_path}']!.put!.requestBody!.required, false);
  const { '200': whole, '206': range, '304': known, '416': beyond } = paths['/files/{id}/download']!.get!.responses;
  assert.ok(
    'ETag' in whole!.headers && 'ETag' in known!.headers && 'Content-Range' in range!.headers && 'Content-Range' in beyond!.headers,
  );
  assert.ok('Location' in paths['/packages']!.post!.responses['201']!.headers);
  assert.ok('Retry-After' in paths['/packages']!.post!.responses['503']!.headers);
});

test('it is written once for all who ask, and for few prefixes', async () => {
  await using door = await openDoor({ prefix: { basePath: '', trustForwardedPrefix: true } });
  const { stringify } = JSON;
  let written = 0;
  JSON.stringify = (value: unknown, ...rest: never[]) => {
    if (typeof value === 'object' && value !== null && 'openapi' in value && 'paths' in value) written += 1;
    return stringify(value, ...rest);
  };
  try {
    const ask = async (prefix = '', path = '/openapi.json') => {
      const answer = await fetch(`${door.url}${path}`, { headers: { 'x-forwarded-prefix': prefix } });
      assert.match(await answer.text(), /openapi/);
    };
    for (let asked = 0; asked < 5; asked++) for (const path of ['/openapi.json', '/docs/json', '/docs/yaml']) await ask('', path);
    assert.equal(written, 1);
    for (let prefix = 0; prefix < 9; prefix++) await ask(`/p${prefix}`);
    assert.equal(written, 10);
    await ask('/p8');
    assert.equal(written, 10, 'the last ones are kept');
    await ask();
    assert.equal(written, 11, 'not as many as a stranger makes up');
  } finally {
    JSON.stringify = stringify;
  }
});
