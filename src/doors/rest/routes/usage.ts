import { type TUnsafe, Type } from '#typebox';
import type { Usage } from '../../../registry/REGISTRY.ts';
import { describes } from '../openapi/describes.ts';
import { answers } from '../parameters.ts';
import type { Api } from '../route.ts';

const count = Type.Integer({ minimum: 0 });
const countOrNull = Type.Union([count, Type.Null()]);
const time = Type.String({ format: 'date-time' });
const counts = { packages: count, files: count, bytes: count };
const run = Type.Union([Type.Object({ started_at: time, finished_at: time }), Type.Null()]);

const usageRecord: TUnsafe<Usage> = describes<Usage>()(
  Type.Object({
    counted_at: time,
    last_sequence: count,
    packages: Type.Object({
      created: Type.Object(counts),
      finalized: Type.Object(counts),
      abandoned: Type.Object(counts),
      garbage_collected: Type.Object(counts),
    }),
    producers: Type.Array(Type.Object({ producer: Type.String(), retention_class: Type.String(), ...counts })),
    producers_left_out: count,
    reclaimable_packages: count,
    backends: Type.Array(
      Type.Object({
        backend_id: Type.String(),
        stored_objects: count,
        stored_bytes: count,
        failed_objects: count,
        reclaimable_objects: count,
        reclaimable_bytes: count,
        dead_objects: count,
        open_uploads: count,
        open_upload_bytes: count,
        open_write_sessions: count,
        open_write_session_bytes: count,
        free_bytes: countOrNull,
        total_bytes: countOrNull,
        last_verification: run,
      }),
    ),
    last_sweep: run,
    last_collection: run,
    last_backup: run,
  }),
);

export function usageRoutes(api: Api): void {
  api.get(
    '/usage',
    {
      config: { access: 'observe', list: true },
      schema: {
        operationId: 'getUsage',
        tags: ['system'],
        summary: 'How full it is: packages, bytes, what can be reclaimed, and when it was last looked after',
        response: answers({ 200: usageRecord }),
      },
    },
    async (request, reply) => reply.header('cache-control', 'no-store').send(await request.registry.usage()),
  );
}
