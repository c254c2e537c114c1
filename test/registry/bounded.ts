import { administrator, type Quota } from '../../src/kernel/access.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { openTwoBackends, type TwoBackends } from './two-backends.ts';

/** A registry over two directories whose producers have quotas. */
export interface Bounded extends TwoBackends {
  /** As somebody who may do everything. */
  readonly registry: Registry;
  /** Undefined takes it away. */
  bound(producer: string, quota: Partial<Quota> | undefined): void;
  /** The id of a new package. */
  create(producer: string, idempotencyKey?: string): Promise<string>;
}

export async function openBounded(place: { readonly directory?: string; readonly databaseUrl?: string } = {}): Promise<Bounded> {
  const store = await openTwoBackends(place);
  const quotas = new Map<string, Quota>();
  const { as, operator, settle } = store.over({ quotaOf: (producer) => quotas.get(producer) });
  const registry = as(administrator('x'));
  return {
    ...store,
    as,
    operator,
    settle,
    async [Symbol.asyncDispose]() {
      await settle();
      await store.close();
    },
    registry,
    bound(producer, quota) {
      if (quota === undefined) quotas.delete(producer);
      else quotas.set(producer, { maximum_bytes: null, maximum_packages: null, ...quota });
    },
    async create(producer, idempotencyKey) {
      const input = { name: 'n', producer, subject: 's', retention_class: 'transient' };
      return (await registry.packages.create(input, idempotencyKey === undefined ? {} : { idempotencyKey })).record.id;
    },
  };
}
