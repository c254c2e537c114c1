import type { Principal } from '../../kernel/access.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { keepRecent } from '../../runtime/keep-recent.ts';

/** Principals whose registry is kept for their next request. */
const keptRegistries = 1_000;

/**
 * Makes a registry for each principal, and keeps those that were used last: whoever identifies a caller gives the same
 * principal for the same caller as long as nothing has changed about it.
 */
export function keepRegistries(make: (principal: Principal) => Registry): (principal: Principal) => Registry {
  const kept = keepRecent<Registry, Principal>(keptRegistries);
  return (principal) => kept.get(principal, () => make(principal));
}
