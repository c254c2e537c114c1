import { type TUnsafe, Type } from '#typebox';
import type { WhoAmI } from '../../../kernel/access.ts';
import { describes } from '../openapi/describes.ts';
import { answers } from '../parameters.ts';
import type { Api } from '../route.ts';

const pattern = Type.Union([Type.Object({ exact: Type.String() }), Type.Object({ glob: Type.String() })]);
const role = Type.Union([
  Type.Literal('reader'),
  Type.Literal('writer'),
  Type.Literal('keeper'),
  Type.Literal('admin'),
  Type.Literal('observer'),
]);

const whoAmIRecord: TUnsafe<WhoAmI> = describes<WhoAmI>()(
  Type.Object({
    actor: Type.String({ description: 'What the log records.' }),
    by: Type.Union([Type.String(), Type.Null()], { description: 'What kind of token was shown; null for none.' }),
    expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: 'When the token ends; null for never.' }),
    grants: Type.Array(Type.Object({ role, producers: Type.Array(pattern) }), { description: 'They add up; none allows nothing.' }),
  }),
);

export function whoAmIRoutes(api: Api): void {
  api.get(
    '/whoami',
    {
      config: { access: 'whoever' },
      schema: {
        operationId: 'getWhoAmI',
        tags: ['system'],
        summary: 'Whom the server takes the caller for, and what that may do; without a token too',
        response: answers({ 200: whoAmIRecord }),
      },
    },
    async ({ caller: { principal, by = null, expiresAt = null } }, reply) =>
      reply.header('cache-control', 'no-store').send({
        actor: principal.actor,
        by,
        expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        grants: principal.grants,
      }),
  );
}
