import type { FastifyRequest } from 'fastify';
import type { Door, Refusal } from '../../http/door.ts';
import { isSamePrincipal, type Principal } from '../../kernel/access.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { type Access, type AuthOptions, type Caller, createAuthenticator } from './auth.ts';
import { bounds, shortenedBy } from './bounds.ts';
import { describeApi } from './openapi/openapi.ts';
import { problemHeaders, toProblem } from './problem.ts';
import { speaksTus, tusHeaders, tusStatus } from './resumable/tus/refusal.ts';
import type { Api, RouteContext } from './route.ts';
import { eventRoutes } from './routes/events.ts';
import { fileRoutes } from './routes/files.ts';
import { metadataSchemaRoutes } from './routes/metadata-schemas.ts';
import { objectRoutes } from './routes/objects.ts';
import { packageRoutes } from './routes/packages.ts';
import { producerRoutes } from './routes/producers.ts';
import { resumableRoutes } from './routes/resumable.ts';
import { retentionRoutes } from './routes/retention.ts';
import { retentionClassRoutes } from './routes/retention-classes.ts';
import { systemRoutes } from './routes/system.ts';
import { tusRoutes } from './routes/tus.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { usageRoutes } from './routes/usage.ts';
import { whoAmIRoutes } from './routes/whoami.ts';
import { writeSessionRoutes } from './routes/write-sessions.ts';
import { createSealedManifests } from './sealed-manifests.ts';
import { compileValidator } from './validation.ts';

export interface RestParts extends AuthOptions {
  registryFor(principal: Principal): Registry;
}

export interface RestDoor extends Door {
  /** The OpenAPI document, when the door is open. */
  describe(): Readonly<Record<string, unknown>>;
}

/** The routes of docs/http.md, with bearer tokens and RFC 9457 problems. */
export function createRestDoor(context: RouteContext, parts: RestParts): RestDoor {
  let routes: Api | undefined;
  const authenticate = createAuthenticator(parts);

  async function askAgain(request: FastifyRequest): Promise<boolean> {
    const caller = await authenticate(request);
    const isSame = isSamePrincipal(caller.principal, request.caller.principal);
    request.caller = caller;
    if (!isSame) request.registry = parts.registryFor(caller.principal);
    return isSame;
  }

  return {
    path: '',
    bounds,
    identify(request) {
      const remember = (caller: Caller): Principal => {
        request.caller = caller;
        return caller.principal;
      };
      const caller = authenticate(request);
      return caller instanceof Promise ? caller.then(remember) : remember(caller);
    },
    unknownRoute: ({ prefix }) => new ArtifactstoreError('route_not_found', `There is no such route; see ${prefix}/docs/.`),
    refuse(error, requestId, request): Refusal {
      const problem = toProblem(error, requestId);
      const headers = problemHeaders(problem, request?.headers.authorization);
      if (request === undefined || !speaksTus(request)) return { status: problem.status, headers, body: JSON.stringify(problem) };
      const status = tusStatus(problem, request.method ?? '');
      return { status, headers: { ...headers, ...tusHeaders(problem) }, body: JSON.stringify({ ...problem, status }) };
    },
    async addRoutes(api) {
      api.setValidatorCompiler(compileValidator);
      api.setSerializerCompiler(() => (data) => JSON.stringify(data));
      checkRoutes(api);
      giveRegistry(api, parts.registryFor);
      api.decorateRequest('isAsBefore', function (this: FastifyRequest) {
        return askAgain(this);
      });
      api.addHook('preSerialization', (request, _reply, payload, done) => {
        for (const limit of shortenedBy(request, payload)) context.limited(limit);
        done(null, payload);
      });
      await describeApi(api, context.version);
      const manifests = createSealedManifests();
      packageRoutes(api, context, manifests);
      fileRoutes(api, context);
      objectRoutes(api, context);
      uploadRoutes(api, context);
      resumableRoutes(api, context);
      tusRoutes(api, context);
      writeSessionRoutes(api, context);
      eventRoutes(api, context, manifests);
      metadataSchemaRoutes(api, context);
      retentionRoutes(api);
      retentionClassRoutes(api);
      systemRoutes(api, context);
      usageRoutes(api);
      producerRoutes(api);
      whoAmIRoutes(api);
      routes = api;
    },
    describe: () => routes!.swagger() as unknown as Readonly<Record<string, unknown>>,
  };
}

function checkRoutes(api: Api): void {
  api.addHook('onRoute', (route) => {
    const docs = route.url.startsWith('/docs');
    const access: Access | undefined = route.config?.access ?? (docs ? 'anonymous' : undefined);
    if (access === undefined) throw new Error(`The route ${route.url} does not say what it asks of its caller.`);
    route.config = { ...route.config, access };
    // A route that takes no parameters refuses every one of them.
    if (!docs) route.schema = { querystring: { type: 'object', properties: {} }, ...route.schema };
  });
}

/** The registry as whoever asks sees it; and ids that are none are refused before the body is read. */
function giveRegistry(api: Api, registryFor: RestParts['registryFor']): void {
  api.decorateRequest('registry', null as unknown as Registry);
  api.decorateRequest('caller', null as unknown as Caller);
  api.addHook('onRequest', (request, _reply, done) => {
    try {
      if (request.is404) return done();
      request.registry = registryFor(request.principal);
      const { id, hold_id } = request.params as { readonly id?: string; readonly hold_id?: string };
      if (id !== undefined) parseId(id, 'id');
      if (hold_id !== undefined) parseId(hold_id, 'hold_id');
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}
