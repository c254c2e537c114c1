import type { Kysely } from '#kysely';
import type { Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { Quota } from '../../kernel/access.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { canonicalJson, type JsonObject } from '../../kernel/format/json.ts';
import { decideExpiry } from '../../kernel/retention.ts';
import { readTimestamp, type Timestamp } from '../../kernel/time.ts';
import type { Created, Package } from '../REGISTRY.ts';
import { lastEventTime } from './events/events.ts';
import { noPackage, packageRecord, readPackages } from './packages.ts';
import { notePackage, readUsed, requireOnePackage } from './quota.ts';
import { decideEach, distinct, inSets, type SetOperation, weightOf } from './sets.ts';

export interface CreatePackage {
  readonly actor: string;
  readonly package: {
    readonly name: string;
    readonly producer: string;
    readonly subject: string;
    readonly retention_class: string;
    readonly metadata: JsonObject;
    readonly metadata_schema_slug: string | null;
  };
  readonly quota: Quota | null;
  /** Whose package it is: what that session holds of the quota is for it. */
  readonly write_session?: string;
  /** From the retention class; null for never. */
  readonly duration_seconds: number | null;
  readonly idempotency: { readonly key: string; readonly request_digest: string } | null;
}

export const createPackage: SetOperation<CreatePackage, Created<Package>> = inSets({
  readsFirst: true,
  weigh: (input) => 2 + weightOf(JSON.stringify(input.package.metadata).length),
  async run(transaction, inputs) {
    const [earlier, used, latest] = await Promise.all([
      readEarlier(transaction.sql, inputs),
      readUsed(
        transaction.sql,
        distinct(inputs.filter(({ quota }) => quota !== null && quota.maximum_packages !== null).map((input) => input.package.producer)),
        transaction.now,
      ),
      latestTime(transaction),
    ]);
    return await decideEach(transaction, inputs, (own, input) => {
      const { idempotency } = input;
      const repeated = earlierOf(earlier, input);
      if (repeated !== undefined) return repeated;
      const { producer } = input.package;
      requireOnePackage(used, producer, input.quota, input.write_session);
      const record = appendPackage(own, input, latest);
      notePackage(used, producer);
      if (idempotency !== null) {
        const { key: idempotency_key, request_digest } = idempotency;
        own.insert('idempotency_keys', { producer, idempotency_key, request_digest, package_id: record.id, created_at: own.now });
        earlier.set(earlierKey(producer, idempotency_key), { request_digest, package_id: record.id, record });
      }
      return { record, created: true };
    });
  },
});

/**
 * Now, or the time of the last event where this machine's clock is behind it: a package must not be born expired for a
 * clock that lost its time.
 */
async function latestTime(transaction: Transaction): Promise<Timestamp> {
  const last = await lastEventTime(transaction, {});
  return last === null || last <= transaction.now ? transaction.now : readTimestamp(last);
}

/** What an idempotency key was used for; without a record where the package is not there. */
interface Earlier {
  readonly request_digest: string;
  readonly package_id: string;
  readonly record: Package | undefined;
}

function earlierKey(producer: string, key: string): string {
  return `${producer}\u0000${key}`;
}

async function readEarlier(database: Kysely<Schema>, inputs: readonly CreatePackage[]): Promise<Map<string, Earlier>> {
  const asked = inputs.filter(({ idempotency }) => idempotency !== null);
  if (asked.length === 0) return new Map();
  const rows = await database
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('producer', 'in', distinct(asked.map((input) => input.package.producer)))
    .where('idempotency_key', 'in', distinct(asked.map(({ idempotency }) => idempotency!.key)))
    .execute();
  const records = await readPackages(
    database,
    rows.map((row) => row.package_id),
  );
  return new Map(
    rows.map(({ producer, idempotency_key, request_digest, package_id }) => [
      earlierKey(producer, idempotency_key),
      { request_digest, package_id, record: records.get(package_id) },
    ]),
  );
}

/** The package that was made by the same request before; undefined for a new one. */
function earlierOf(earlier: ReadonlyMap<string, Earlier>, input: CreatePackage): Created<Package> | undefined {
  if (input.idempotency === null) return undefined;
  const { key, request_digest } = input.idempotency;
  const found = earlier.get(earlierKey(input.package.producer, key));
  if (found === undefined) return undefined;
  if (found.request_digest !== request_digest)
    throw new ArtifactstoreError(
      'idempotency_conflict',
      `The idempotency key "${key}" was used for another package of this producer; use a new key or repeat the same input.`,
      { field: 'idempotency_key', info: { package_id: found.package_id } },
    );
  if (found.record === undefined) throw noPackage(found.package_id);
  return { record: found.record, created: false };
}

/** The record is what a read of the package's row gives. */
function appendPackage(transaction: Transaction, input: CreatePackage, latest: Timestamp): Package {
  const { actor } = input;
  const id = transaction.newId();
  const { retention_class } = input.package;
  const expires_at = decideExpiry(latest, input.duration_seconds);
  transaction.append({
    event_type: 'v1.package.created',
    subject_kind: 'package',
    subject_id: id,
    actor,
    payload: { id, ...input.package },
  });
  transaction.append({
    event_type: 'v1.retention.default_applied',
    subject_kind: 'package',
    subject_id: id,
    actor,
    payload: { package_id: id, retention_class, expires_at },
  });
  return packageRecord({
    ...input.package,
    id,
    status: 'created',
    metadata: canonicalJson(input.package.metadata),
    created_at: transaction.now,
    created_by: actor,
    finalized_at: null,
    manifest_digest: null,
    expires_at,
    file_count: 0,
    total_bytes: 0,
    hold_count: 0,
  });
}
