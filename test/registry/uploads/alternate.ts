import type { Registry } from '../../../src/registry/REGISTRY.ts';

/** One registry whose uploads go in turn to each of several that share a database, as behind a load balancer. */
export function alternate(registries: readonly Registry[]): Registry {
  let turn = 0;
  const next = () => registries[turn++ % registries.length]!.uploads!;
  return {
    ...registries[0]!,
    uploads: {
      begin: (input) => next().begin(input),
      append: (id, offset, body, options) => next().append(id, offset, body, options),
      status: (id, options) => next().status(id, options),
      finish: (id, input) => next().finish(id, input),
      abandon: (id) => next().abandon(id),
    },
  };
}
