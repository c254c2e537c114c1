import { Type } from '#typebox';
import { allows } from '../../../kernel/access.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import type { BackendHealth, Health } from '../../../registry/REGISTRY.ts';
import { sharedLater } from '../../../runtime/shared-later.ts';
import type { Caller } from '../auth.ts';
import { answers } from '../parameters.ts';
import { healthRecord } from '../records.ts';
import type { Api, RouteContext } from '../route.ts';

export function systemRoutes(api: Api, context: RouteContext): void {
  const status = Type.Object({ status: Type.Literal('ok') });
  // Counted as nobody's request, and long where many producers have quotas: made once for all who ask meanwhile.
  const render = sharedLater(async () => Buffer.from(await context.renderMetrics()));

  api.get(
    '/',
    {
      config: { access: 'anonymous' },
      schema: {
        operationId: 'getServer',
        tags: ['system'],
        summary: 'What this is',
        response: answers({
          200: Type.Object({
            name: Type.String(),
            version: Type.String(),
            openapi: Type.String(),
            docs: Type.String(),
            console: Type.String(),
          }),
        }),
      },
    },
    async ({ prefix }) => ({
      name: 'artifactstore',
      version: context.version,
      openapi: `${prefix}/openapi.json`,
      docs: `${prefix}/docs/`,
      console: `${prefix}/console/`,
    }),
  );

  api.get(
    '/health',
    {
      config: { access: 'optional', probe: true },
      schema: {
        operationId: 'getHealth',
        tags: ['system'],
        summary: 'How it is; 200 while the process answers. Details are for those with a token',
        response: answers({ 200: healthRecord }),
      },
    },
    async ({ caller }, reply) => reply.header('cache-control', 'no-store').send(toldTo(caller, await context.health())),
  );

  api.get(
    '/livez',
    {
      config: { access: 'anonymous', probe: true, alwaysHeard: true },
      schema: { operationId: 'getLiveness', tags: ['system'], summary: 'The process answers', response: answers({ 200: status }) },
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' as const }),
  );

  api.get(
    '/readyz',
    {
      config: { access: 'optional', probe: true, alwaysHeard: true },
      schema: {
        operationId: 'getReadiness',
        tags: ['system'],
        summary:
          'Writes can be taken: database and default backend (503 when not, or when the server stops). A full disk is named, and is 200',
        response: answers({
          200: Type.Object({ status: Type.Literal('ok'), clock: Type.Optional(Type.String()), backend: Type.Optional(Type.String()) }),
        }),
      },
    },
    async ({ caller }, reply) => {
      if (context.closing.aborted) throw new ArtifactstoreError('cancelled', 'The server is stopping.');
      const { db, backend, clock } = toldTo(caller, await context.health());
      if (!db.healthy) throw new ArtifactstoreError('database_unavailable', `The database can't be used: ${db.detail}`);
      if (!backend.healthy && backend.full !== true)
        throw new ArtifactstoreError('storage_unavailable', `The default backend can't be used: ${backend.detail}`);
      const doubts = { ...(clock.healthy ? {} : { clock: clock.detail }), ...(backend.healthy ? {} : { backend: backend.detail }) };
      return reply.header('cache-control', 'no-store').send({ status: 'ok' as const, ...doubts });
    },
  );

  api.get(
    '/metrics',
    {
      config: { access: 'observe', probe: true, alwaysHeard: true },
      schema: {
        operationId: 'getMetrics',
        tags: ['system'],
        summary: 'Counters in the text format of Prometheus',
        produces: ['text/plain'],
        response: answers({ 200: Type.String() }),
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store').type(context.metrics.register.contentType);
      return reply.send((await render()) as never);
    },
  );
}

/**
 * Details name directories, hosts and versions of this machine, and are for those with a token who may see it. The room
 * that an upload takes, and what is held of it, says whether somebody else has its bytes: where there are callers who
 * see a part of all bytes, it is for whoever may see all of them.
 */
function toldTo({ principal, by }: Caller, health: Health): Health {
  const observes = allows(principal, 'observe');
  if (observes && by !== undefined) return health;
  const isForAll = health.access_file === undefined && by === undefined;
  const bare = <T extends { readonly healthy: boolean; readonly full?: true; readonly detail: string }>(part: T): T => ({
    ...part,
    detail: part.healthy ? 'ok' : part.full === true ? 'full' : 'ask with the token of an admin for the reason',
  });
  const bareBackend = ({ keys_unread_seconds: unread, ...backend }: BackendHealth): BackendHealth => ({
    ...bare(backend),
    ...(observes && unread !== undefined ? { keys_unread_seconds: unread } : {}),
    ...(observes || isForAll ? {} : { free_bytes: null, total_bytes: null, held_objects: null, held_bytes: null }),
  });
  const { db, backend, backends, access_file: file, producers: _, ...others } = health;
  return {
    ...others,
    db: bare(db),
    backend: bareBackend(backend),
    backends: backends.map(bareBackend),
    ...(file === undefined ? {} : { access_file: { ...bare(file), issuers: [] } }),
  };
}
