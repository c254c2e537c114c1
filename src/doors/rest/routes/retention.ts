import { Type } from '#typebox';
import { answers, packageId, paging, queryTime, uuid } from '../parameters.ts';
import { holdRecord, packagePage, retentionRecord } from '../records.ts';
import { newExtension, newHold, reason } from '../request-bodies.ts';
import type { Api } from '../route.ts';

export function retentionRoutes(api: Api): void {
  api.get(
    '/expiring-packages',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'listExpiringPackages',
        tags: ['retention'],
        summary: 'Packages that will go, the soonest first',
        description:
          'Sealed packages that nobody holds, by when they expire. Without those that a sweep has marked: the next ' +
          'collection takes them.',
        querystring: Type.Object({ until: Type.Optional(queryTime('Expire at this time or before it.')), ...paging }),
        response: answers({ 200: packagePage }, 400),
      },
    },
    async (request) => request.registry.retention.expiring(request.query),
  );

  api.get(
    '/packages/:id/retention',
    {
      config: { access: 'read', list: true },
      schema: {
        operationId: 'getRetention',
        tags: ['retention'],
        summary: 'Why a package is kept or will go, and when; with its holds and history',
        params: packageId,
        response: answers({ 200: retentionRecord }, 400, 404),
      },
    },
    async (request) => request.registry.retention.show(request.params.id),
  );

  api.post(
    '/packages/:id/retention/extensions',
    {
      config: { access: 'write', body: 'json', gives: ['Location'] },
      schema: {
        operationId: 'extendRetention',
        tags: ['retention'],
        summary: 'Keep a package longer',
        description:
          'Until a time that is later than now and than the current expiry, null for ' +
          'never; or by a duration, which the server counts. Exactly one of the two.',
        params: packageId,
        body: newExtension,
        response: answers({ 201: retentionRecord }, 400, 404, 409, 410, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const record = await request.registry.retention.extend(request.params.id, request.body);
      return reply.code(201).header('location', `/packages/${record.package_id}/retention`).send(record);
    },
  );

  api.post(
    '/packages/:id/retention/holds',
    {
      config: { access: 'write', body: 'json', gives: ['Location'] },
      schema: {
        operationId: 'holdPackage',
        tags: ['retention'],
        summary: 'Hold a package: it is not collected until the hold is released',
        params: packageId,
        body: newHold,
        response: answers({ 201: holdRecord }, 400, 404, 409, 410, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const hold = await request.registry.retention.hold(request.params.id, request.body);
      return reply.code(201).header('location', `/packages/${request.params.id}/retention`).send(hold);
    },
  );

  api.delete(
    '/packages/:id/retention/holds/:hold_id',
    {
      config: { access: 'write' },
      schema: {
        operationId: 'releaseHold',
        tags: ['retention'],
        summary: 'Release a hold',
        params: Type.Object({
          id: uuid('The package.'),
          hold_id: uuid('The hold.'),
        }),
        querystring: Type.Object({ reason: Type.Optional(reason) }),
        response: answers({ 200: holdRecord }, 400, 404, 422),
      },
    },
    async (request) => {
      const { reason } = request.query;
      return await request.registry.retention.release(request.params.id, request.params.hold_id, reason === undefined ? {} : { reason });
    },
  );
}
