import { ArtifactstoreError } from '../kernel/error.ts';
import { parseId } from '../kernel/id.ts';
import { readTimestamp } from '../kernel/time.ts';
import type { Context } from './context.ts';
import { checkReason } from './input.ts';
import type { Retention } from './REGISTRY.ts';

export function createRetention(context: Context, actor: string): Retention {
  const { database } = context;
  return {
    async classes() {
      return context.retentionClasses.map(({ slug, default_duration_seconds }) => ({ slug, default_duration_seconds }));
    },
    async show(packageId) {
      return await database.read('retention.get', { packageId: parseId(packageId, 'package_id') });
    },
    async extend(packageId, input) {
      return await database.write('retention.extend', {
        actor,
        packageId: parseId(packageId, 'package_id'),
        newExpiresAt: checkExpiry(input.new_expires_at),
        reason: checkReason(input.reason),
      });
    },
    async hold(packageId, input) {
      return await database.write('retention.hold', {
        actor,
        packageId: parseId(packageId, 'package_id'),
        reason: checkReason(input.reason),
      });
    },
    async release(packageId, holdId, input = {}) {
      return await database.write('retention.release', {
        actor,
        packageId: parseId(packageId, 'package_id'),
        holdId: parseId(holdId, 'hold_id'),
        reason: input.reason === undefined ? null : checkReason(input.reason),
      });
    },
  };
}

function checkExpiry(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value !== 'string')
    throw new ArtifactstoreError('invalid_value', '"new_expires_at" must be a time (RFC 3339), or null for never.', {
      field: '/new_expires_at',
    });
  return readTimestamp(value, '/new_expires_at');
}
