import type { NewEvent } from '../../kernel/log/event.ts';
import type { Transaction } from '../DATABASE.ts';
import { actor, added, backend_id, deleted, event, fileEntry, ingested, packageCreated } from './events.ts';

/**
 * Every type of event, in an order that could be: two packages that share an object, one sealed and collected, one
 * abandoned. Lives of other labels share no row with it.
 */
export function lifeOf(label: string, { newId, now, registryId }: Pick<Transaction, 'newId' | 'now' | 'registryId'>): readonly NewEvent[] {
  const ids = Object.fromEntries(
    ['sealed', 'abandoned', 'first', 'second', 'third', 'at1', 'at2', 'at3', 'at4', 'hold1', 'hold2'].map((name) => [name, newId()]),
  ) as Record<string, string>;
  const shared = fileEntry(ids.first!, 'a/ü.bin', `${label} shared`);
  const joined = fileEntry(ids.second!, 'b.txt', `${label} shared`);
  const other = fileEntry(ids.third!, 'c', `${label} other`);
  const later = '2026-06-01T00:00:00.000Z';
  const sealed = ids.sealed!;

  return [
    event('v1.metadata_schema.registered', 'metadata_schema', `schema-${label}`, {
      slug: `schema-${label}`,
      json_schema: { type: 'object', $comment: 'Ünïcödé \u0001 "quoted" \\ {1,2}' },
    }),
    packageCreated(sealed, 'x', { run: label, 'quote"\\': 'NULL', ratio: 1.5, none: null, yes: true, deep: { not: ['a', 'term'] } }),
    event('v1.retention.default_applied', 'package', sealed, { package_id: sealed, retention_class: 'transient', expires_at: later }),
    packageCreated(ids.abandoned!, 'y'),
    event('v1.retention.default_applied', 'package', ids.abandoned!, {
      package_id: ids.abandoned!,
      retention_class: 'permanent-record',
      expires_at: null,
    }),
    ingested(shared, sealed, ids.at1!, 0, true),
    ingested(joined, ids.abandoned!, ids.at2!, 0, false),
    event('v1.storage.object_burnt', 'object', other.content_address, {
      backend_id,
      content_address: other.content_address,
      generation: 0,
    }),
    ingested(other, sealed, ids.at3!, 1, true),
    event('v1.package.finalized', 'package', sealed, {
      manifest_version: 1,
      package: {
        id: sealed,
        name: 'x',
        producer: actor,
        subject: 'conformance',
        retention_class: 'transient',
        metadata: {},
        metadata_schema_slug: null,
        created_at: now,
        created_by: actor,
      },
      files: [shared, other],
      storage_receipts: [],
      retention_summary: { retention_class: 'transient', expires_at: later },
      provenance: { finalized_at: now, finalized_by: actor, registry_id: registryId, software: 'conformance' },
    }),
    event('v1.storage.location_verified', 'backend', backend_id, {
      backend_id,
      result: 'ok',
      location_ids: [ids.at1!, ids.at2!, ids.at3!],
    }),
    event('v1.storage.location_verified', 'object', shared.content_address, {
      backend_id,
      result: 'failed',
      location_ids: [ids.at1!, ids.at2!],
      content_address: shared.content_address,
      reason: 'digest_mismatch',
    }),
    event('v1.storage.object_repaired', 'object', shared.content_address, {
      backend_id,
      content_address: shared.content_address,
      previous_generation: 0,
      generation: 1,
      object_key: `${shared.content_address}.1`,
      location_ids: [ids.at1!, ids.at2!],
    }),
    event('v1.retention.extended', 'package', sealed, {
      package_id: sealed,
      previous_expires_at: later,
      new_expires_at: '2026-07-01T00:00:00.000Z',
      reason: 'asked',
    }),
    event('v1.retention.hold_applied', 'package', sealed, { package_id: sealed, hold_id: ids.hold1!, reason: 'audit' }),
    event('v1.retention.hold_applied', 'package', sealed, { package_id: sealed, hold_id: ids.hold2!, reason: 'audit' }),
    event('v1.retention.hold_released', 'package', sealed, { package_id: sealed, hold_id: ids.hold1!, reason: null }),
    event('v1.retention.marked_eligible', 'package', sealed, { package_id: sealed, expires_at: later }),
    event('v1.retention.eligibility_cleared', 'package', sealed, { package_id: sealed, cause: 'held' }),
    event('v1.package.abandoned', 'package', ids.abandoned!, { package_id: ids.abandoned!, cause: 'requested', reason: null }),
    deleted(joined, ids.abandoned!, ids.at2!, 1, 'shared'),
    event('v1.retention.marked_eligible', 'package', sealed, { package_id: sealed, expires_at: later }),
    added(shared, sealed, ids.at4!),
    deleted(shared, sealed, ids.at1!, 1, 'release'),
    event('v1.package.garbage_collected', 'package', sealed, { package_id: sealed, location_count: 1 }),
  ];
}
