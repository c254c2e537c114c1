import { ArtifactstoreError } from '../kernel/error.ts';
import type { JsonValue } from '../kernel/format/json.ts';
import { parseId } from '../kernel/id.ts';
import { readTimestamp } from '../kernel/time.ts';
import type { Access } from './access.ts';
import type { Context } from './context.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { checkLimit, checkReason, checkTime } from './input.ts';
import { lookFor } from './look-for.ts';
import type { DuePackage } from './operations/due-packages.ts';
import type { Extension } from './operations/retention.ts';
import type { NewExtension, Retention } from './REGISTRY.ts';

export function createRetention(context: Context, access: Access): Retention {
  const { database } = context;
  const { actor } = access;

  async function checked(packageId: string, right: 'read' | 'keep'): Promise<string> {
    const id = parseId(packageId, 'package_id');
    await access.requirePackage(id, right);
    return id;
  }

  return {
    async classes() {
      return context.retentionClasses.map(({ slug, default_duration_seconds }) => ({ slug, default_duration_seconds }));
    },
    async show(packageId) {
      return await database.read('retention.get', { package_id: await checked(packageId, 'read') });
    },
    async expiring(query = {}) {
      const limit = checkLimit(query);
      const until = checkTime(query.until, 'until');
      const bound: JsonValue = ['expiring', until];
      const position = decodeCursor(bound, query.cursor, 'expiry');
      const { found, next } = await lookFor(limit, position === null ? null : readPosition(position), ({ position: after, ...begun }) =>
        database.read('retention.expiring', { ...begun, after, until: until ?? lastTime, scope: access.reads }),
      );
      const next_cursor = next === null ? null : encodeCursor(bound, `${next.expires_at} ${next.package_id}`);
      return { items: found.flatMap(({ items }) => items), next_cursor };
    },
    async extend(packageId, input) {
      return await database.write('retention.extend', {
        actor,
        package_id: await checked(packageId, 'keep'),
        extension: checkExtension(input),
        reason: checkReason(input.reason),
      });
    },
    async hold(packageId, input) {
      return await database.write('retention.hold', {
        actor,
        package_id: await checked(packageId, 'keep'),
        reason: checkReason(input.reason),
      });
    },
    async release(packageId, holdId, input = {}) {
      return await database.write('retention.release', {
        actor,
        package_id: await checked(packageId, 'keep'),
        hold_id: parseId(holdId, 'hold_id'),
        reason: input.reason === undefined ? null : checkReason(input.reason),
      });
    },
  };
}

function readPosition(position: string): DuePackage {
  const [expires_at = '', package_id = ''] = position.split(' ');
  return { expires_at, package_id };
}

const lastTime = '9999-12-31T23:59:59.999Z';

function checkExtension({ new_expires_at, extend_by_seconds }: NewExtension): Extension {
  if ((new_expires_at === undefined) === (extend_by_seconds === undefined))
    throw new ArtifactstoreError('malformed_request', 'An extension has either "new_expires_at" or "extend_by_seconds".', {
      field: extend_by_seconds === undefined ? '/new_expires_at' : '/extend_by_seconds',
    });
  if (extend_by_seconds !== undefined) {
    if (!Number.isSafeInteger(extend_by_seconds) || extend_by_seconds < 1)
      throw new ArtifactstoreError('invalid_value', '"extend_by_seconds" must be a whole number of seconds, 1 or more.', {
        field: '/extend_by_seconds',
      });
    return { by_seconds: extend_by_seconds };
  }
  if (new_expires_at === null) return { until: null };
  if (typeof new_expires_at !== 'string')
    throw new ArtifactstoreError('invalid_value', '"new_expires_at" must be a time (RFC 3339), or null for never.', {
      field: '/new_expires_at',
    });
  return { until: readTimestamp(new_expires_at, '/new_expires_at') };
}
