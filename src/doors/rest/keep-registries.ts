import type { Principal } from '../../kernel/access.ts';
import type { Registry } from '../../registry/REGISTRY.ts';

/** Principals whose registry is kept for their next request. */
const keptRegistries = 1_000;

/**
 * Makes a registry for each principal, and keeps those that were used last: whoever identifies a caller gives the same
 * principal for the same caller as long as nothing has changed about it.
 */
export function keepRegistries(make: (principal: Principal) => Registry): (principal: Principal) => Registry {
  const kept = new Map<Principal, Registry>();
  return (principal) => {
    const registry = kept.get(principal) ?? make(principal);
    kept.delete(principal);
    kept.set(principal, registry);
    if (kept.size > keptRegistries) kept.delete(kept.keys().next().value!);
    return registry;
  };
}
