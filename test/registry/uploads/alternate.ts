import type { Registry } from '../../../src/registry/REGISTRY.ts';

/**
 * One registry whose uploads and write sessions go in turn to each of several that share a database, as behind a load
 * balancer.
 */
export function alternate(registries: readonly Registry[]): Registry {
  let turn = 0;
  const any = () => registries[turn++ % registries.length]!;
  const next = () => any().uploads!;
  return {
    ...registries[0]!,
    uploads: {
      begin: (input) => next().begin(input),
      beginWhole: (input, body, options) => next().beginWhole(input, body, options),
      append: (id, offset, body, options) => next().append(id, offset, body, options),
      status: (id, options) => next().status(id, options),
      list: (query) => next().list(query),
      finish: (id, input) => next().finish(id, input),
      abandon: (id) => next().abandon(id),
    },
    writeSessions: {
      open: (input, options) => any().writeSessions.open(input, options),
      status: (id) => any().writeSessions.status(id),
      list: (query) => any().writeSessions.list(query),
      put: (id, name, body, options) => any().writeSessions.put(id, name, body, options),
      beginUpload: (id, name) => any().writeSessions.beginUpload(id, name),
      commit: (id) => any().writeSessions.commit(id),
      abort: (id) => any().writeSessions.abort(id),
    },
  };
}
