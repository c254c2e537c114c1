import { type TUnsafe, Type } from '#typebox';
import type { Page, ProducerRecord } from '../../../registry/REGISTRY.ts';
import { answers, paging } from '../parameters.ts';
import { pageOf } from '../record-members.ts';
import { producerRecord } from '../records.ts';
import type { Api } from '../route.ts';

const producerPage: TUnsafe<Page<ProducerRecord>> = Type.Unsafe<Page<ProducerRecord>>(pageOf(producerRecord));

export function producerRoutes(api: Api): void {
  api.get(
    '/producers',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'listProducers',
        tags: ['packages'],
        summary: 'Who has how much, and their quotas',
        description: 'By name. Of packages that are neither collected nor abandoned; bytes are logical ones.',
        querystring: Type.Object(paging),
        response: answers({ 200: producerPage }, 400),
      },
    },
    async (request) => request.registry.producers.list(request.query),
  );
}
