import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifySchema } from 'fastify';
import { components } from './records.ts';
import type { Api } from './route.ts';

/** Describes the routes that are registered after it as OpenAPI 3.1: the schemas shown are the ones that requests are checked against. */
export async function describeApi(api: Api, version: string): Promise<void> {
  for (const component of components) api.addSchema(component);
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'artifactstore',
        version,
        description:
          'Artifact registry and storage gateway for durable generated outputs. Every error is a problem (RFC 9457) with a stable code.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) => (typeof json.$id === 'string' ? json.$id : `schema-${index}`),
    },
    transform: ({ schema, url, route }) => {
      const shown: FastifySchema = { ...schema, security: route.config?.access === 'anonymous' ? [] : [{ token: [] }] };
      return { schema: named(shown), url: url.replace('/*', '/:relative_path') };
    },
  });
  await api.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, uiConfig: { persistAuthorization: false } });
  api.get('/openapi.json', { config: { access: 'anonymous' }, schema: { hide: true } }, async () => api.swagger());
}

/** Names that the router or the check of queries needs, as the reader should see them. */
function named(schema: FastifySchema): FastifySchema {
  const parameters = schema.params as { readonly properties?: Readonly<Record<string, unknown>> } | undefined;
  const query = schema.querystring as
    | { readonly properties?: Readonly<Record<string, unknown>>; readonly patternProperties?: object }
    | undefined;
  const shown = { ...schema };
  if (parameters?.properties?.['*'] !== undefined) {
    const { '*': relative_path, ...others } = parameters.properties;
    shown.params = { type: 'object', required: [...Object.keys(others), 'relative_path'], properties: { ...others, relative_path } };
  }
  if (query?.patternProperties !== undefined) {
    const { patternProperties, ...rest } = query;
    const parameter = { type: 'string', description: 'A top-level scalar of the metadata, compared as JSON text. `<key>` is any key.' };
    shown.querystring = { ...rest, properties: { ...query.properties, 'metadata.<key>': parameter } };
  }
  return shown;
}
