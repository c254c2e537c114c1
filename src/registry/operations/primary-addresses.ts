import type { Kysely } from '#kysely';
import type { Schema } from '../../database/schema.ts';

const sha256Prefix = 'sha256:';

/** The primary content addresses that each of at most 1,000 addresses of either kind stands for. */
export async function eachPrimary(database: Kysely<Schema>, addresses: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const digests = addresses.filter((address) => address.startsWith(sha256Prefix)).map((address) => address.slice(sha256Prefix.length));
  const rows =
    digests.length === 0
      ? []
      : await database
          .selectFrom('storage_objects')
          .select(['content_address', 'digest_sha256'])
          .distinct()
          .where('digest_sha256', 'in', digests)
          .execute();
  const found = Map.groupBy(rows, ({ digest_sha256 }) => `${sha256Prefix}${digest_sha256}`);
  return new Map(
    addresses.map((address) => {
      const others = (found.get(address) ?? []).map(({ content_address }) => content_address);
      return [address, [...new Set([address, ...others])]] as const;
    }),
  );
}

/** Those of one. */
export async function primaryAddressesOf(database: Kysely<Schema>, address: string): Promise<readonly string[]> {
  return (await eachPrimary(database, [address])).get(address)!;
}
