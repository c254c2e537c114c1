import { answers } from '../parameters.ts';
import { itemsOf, retentionClassRecord } from '../records.ts';
import type { Api } from '../route.ts';

export function retentionClassRoutes(api: Api): void {
  api.get(
    '/retention-classes',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'listRetentionClasses',
        tags: ['retention'],
        summary: 'The retention classes; a duration of null means forever',
        response: answers({ 200: itemsOf(retentionClassRecord) }),
      },
    },
    async (request) => ({ items: await request.registry.retention.classes() }),
  );
}
