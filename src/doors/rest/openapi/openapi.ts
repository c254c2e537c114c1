import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig, FastifySchema } from 'fastify';
import type { Access } from '../auth.ts';
import { problems } from '../problem.ts';
import { components, problemRecord } from '../records.ts';
import type { Api } from '../route.ts';
import { completed, type Described } from './complete.ts';
import { docsPage } from './docs-page.ts';
import { requestHeaders } from './header-descriptions.ts';

/**
 * Describes the routes that are registered after it as OpenAPI 3.1: the schemas shown are the ones that requests are
 * checked against.
 */
export async function describeApi(api: Api, version: string): Promise<void> {
  const configs = new Map<string, FastifyContextConfig>();
  for (const component of components) api.addSchema(component);
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'artifactstore',
        version,
        description:
          'Artifact registry and storage gateway for durable generated outputs. ' +
          'Every error is a problem (RFC 9457) with a stable `code`. HEAD works where ' +
          'GET does, except for `/events`. A request may carry its `X-Request-Id`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [...tags],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) => (typeof json.$id === 'string' ? json.$id : `schema-${index}`),
    },
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => {
      if (schema?.operationId !== undefined) configs.set(schema.operationId, route.config ?? {});
      return { schema: shown(schema ?? {}, route.config ?? {}), url: url.replace('/*', '/:relative_path') };
    },
    transformObject: (document) =>
      'openapiObject' in document ? completed(document.openapiObject as Described, (id) => configs.get(id) ?? {}) : document.swaggerObject,
  });
  // The page is reached with a slash at the end only: its own links then lead the same way, below whatever path a proxy
  // has put it.
  api.addHook('onRequest', (request, reply, done) => {
    const { url = '' } = request.raw;
    if (!url.startsWith('/docs')) return done();
    const [path, query] = url.split('?', 2);
    if (path !== '/docs') return done();
    reply
      .code(302)
      .header('location', query === undefined ? 'docs/' : `docs/?${query}`)
      .send();
  });
  await api.register(swaggerUi, {
    ...docsPage,
    uiHooks: {
      // Its own routes would write the description again for each reader.
      preHandler(request, reply, done) {
        const { url } = request.routeOptions;
        if (url === '/docs/json') reply.type('application/json; charset=utf-8').send(documents(request.prefix).json);
        else if (url === '/docs/yaml') reply.type('application/x-yaml').send(documents(request.prefix).yaml);
        else done();
      },
    },
  });
  const documents = writtenOnce(api);
  api.get('/openapi.json', { config: { access: 'anonymous' }, schema: { hide: true } }, async ({ prefix }, reply) =>
    reply.type('application/json; charset=utf-8').send(documents(prefix).json),
  );
}

interface Documents {
  readonly json: Buffer;
  readonly yaml: Buffer;
}

/** A stranger may choose the prefix where a proxy lets them. */
const keptPrefixes = 8;

/** The description with its paths below a prefix, as bytes that all answers share. */
function writtenOnce(api: Api): (prefix: string) => Documents {
  const written = new Map<string, Documents>();
  return (prefix) => {
    let documents = written.get(prefix);
    if (documents !== undefined) return documents;
    const servers = prefix === '' ? {} : { servers: [{ url: prefix }] };
    documents = {
      json: Buffer.from(JSON.stringify({ ...api.swagger(), ...servers })),
      yaml: Buffer.from(api.swagger({ yaml: true }) + (prefix === '' ? '' : `servers:\n  - url: ${prefix}\n`)),
    };
    if (written.size >= keptPrefixes) written.delete(written.keys().next().value!);
    written.set(prefix, documents);
    return documents;
  };
}

/** A route's schemas as the reader should see them: with what the router's and the query's own ways leave unsaid. */
function shown(schema: FastifySchema, config: FastifyContextConfig): FastifySchema {
  const described: FastifySchema = { ...schema, security: security[config.access ?? 'write'] };
  const parameters = schema.params as Properties | undefined;
  if (parameters?.properties?.['*'] !== undefined) {
    const { '*': relative_path, ...others } = parameters.properties;
    described.params = { type: 'object', required: [...Object.keys(others), 'relative_path'], properties: { ...others, relative_path } };
  }
  const query = schema.querystring as (Properties & { readonly patternProperties?: object }) | undefined;
  if (query?.patternProperties !== undefined) {
    const { patternProperties, ...rest } = query;
    const [pattern] = Object.values(query.patternProperties);
    const parameter = {
      ...(pattern as object),
      description: 'A top-level scalar of the metadata, compared as JSON text. `<key>` is any key.',
    };
    described.querystring = { ...rest, properties: { ...query.properties, 'metadata.<key>': parameter } };
  }
  if (config.body === 'raw')
    described.body = { content: Object.fromEntries((schema.consumes ?? ['*/*']).map((type) => [type, { schema: binary }])) };
  if (config.rawTypes !== undefined) {
    const { content } = schema.body as { readonly content: object };
    described.body = { content: { ...content, 'multipart/form-data': { schema: multipart }, 'application/x-tar': { schema: binary } } };
  }
  const statuses = Object.fromEntries(refusalsOf(config).map((status) => [status, problemRecord]));
  const responses = Object.entries({ ...statuses, ...(schema.response as Readonly<Record<string, object>> | undefined) });
  described.response = Object.fromEntries(
    responses.map(([status, answer]) => [
      status,
      Number(status) < 400 ? success(Number(status), answer, schema.produces) : problem(status),
    ]),
  );
  if (config.takes !== undefined)
    described.headers = {
      type: 'object',
      properties: Object.fromEntries(config.takes.map((name) => [name, requestHeaders[name]])),
      required: config.needs ?? [],
    };
  return described;
}

/**
 * What the door refuses, whatever the route: a parameter or a header, who asks, from where, how the body comes, an
 * expectation; and that there is no room for what it writes.
 */
function refusalsOf({ access, body }: FastifyContextConfig): readonly number[] {
  return [
    400,
    ...(access === 'anonymous' ? [] : [401]),
    403,
    ...(body === undefined ? [] : [408, 413]),
    415,
    417,
    431,
    ...(access === 'write' ? [507] : []),
  ];
}

const token = { token: [] };
const security: Readonly<Record<Access, Record<string, string[]>[]>> = {
  anonymous: [],
  optional: [{}, token],
  whoever: [{}, token],
  read: [token],
  write: [token],
  observe: [token],
};

interface Properties {
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A problem, with the codes that stand for its status. */
function problem(status: string): object {
  const codes = Object.entries(problems).flatMap(([code, [of]]) => (of === Number(status) ? [`\`${code}\``] : []));
  return {
    description: `${STATUS_CODES[status]}. The codes of this status: ${codes.join(', ')}.`,
    content: { 'application/problem+json': { schema: problemRecord } },
  };
}

function success(status: number, answer: object, produces: readonly string[] = ['application/json']): object {
  if ('type' in answer && answer.type === 'null') return answer;
  const description = 'description' in answer ? answer.description : STATUS_CODES[status];
  return {
    description,
    content: Object.fromEntries(produces.map((type) => [type, { schema: isJson(type) ? answer : isText(type) ? text : binary }])),
  };
}

const isJson = (type: string): boolean => type === 'application/json' || type === 'application/cbor';
const isText = (type: string): boolean => type.startsWith('text/');

const tags = [
  { name: 'packages', description: 'Sets of files that are sealed together.' },
  { name: 'files', description: 'Files of packages: put, listed, read.' },
  { name: 'uploads', description: 'Files whose bytes come in several requests.' },
  { name: 'write sessions', description: 'Sets of files that are handed over step by step and become one package.' },
  { name: 'objects', description: 'Bytes by their digest.' },
  { name: 'events', description: 'The log of all that happened, in order.' },
  { name: 'metadata schemas', description: 'What metadata of packages must look like.' },
  { name: 'retention', description: 'How long packages are kept, and why.' },
  { name: 'system', description: 'How the server is, and what it holds.' },
] as const;

const text = { type: 'string' };
const binary = { type: 'string', format: 'binary' };
const multipart = {
  type: 'object',
  properties: {
    annotations: { type: 'string', description: 'Before the files: a JSON object of relative path -> string map.' },
    file: { type: 'array', items: binary, description: 'The filename, whole, is the relative path; the name of the field says nothing.' },
  },
};
