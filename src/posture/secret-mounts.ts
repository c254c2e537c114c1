import type { ComposeMap, ComposeNode } from '../protocol/compose-file.ts';
import { itemsOf, readMount, tidyPath } from '../protocol/compose-merge.ts';
import { type Fault, unknown, violated } from './finding.ts';
import type { Stack } from './stack.ts';

/** Where rendered secrets are, and who alone writes them. */
export interface SecretsPlace {
  readonly volume: string;
  readonly target: string;
  readonly agent: string;
}

export function* secretMountFaults(service: ComposeMap, stack: Stack, name: string, place: SecretsPlace): Generator<Fault> {
  const isAgent = name === place.agent;
  const remedy = `write ${place.volume}:${place.target}:ro`;
  for (const item of itemsOf(service.entries.get('volumes'))) {
    const mount = readMount(item);
    if (mount === undefined) {
      yield unknown(item, 'has a mount that depends on a variable: what it mounts is known only where it runs', 'write source and target');
      continue;
    }
    const target = tidyPath(mount.target);
    const isSecrets = mount.type === 'volume' && mount.source !== undefined && isVolume(mount.source, stack, place.volume);
    const below = target === place.target || target.startsWith(`${place.target}/`);
    if (!isSecrets && below) yield violated(item, `has something else at ${target} than ${place.volume}`, remedy);
    if (!isSecrets) continue;
    if (target !== place.target) yield violated(item, `has ${place.volume} at ${target}, where nobody looks for secrets`, remedy);
    if (!mount.readOnly && !isAgent) yield violated(item, `may write to ${place.volume}, as the agent alone may`, remedy);
    if (mount.readOnly && isAgent) yield violated(item, `is the agent, and may not write to ${place.volume}`, 'remove `ro`');
  }
  for (const item of itemsOf(service.entries.get('tmpfs')))
    if (item.kind === 'scalar' && tidyPath((item.text ?? '').split(':')[0] ?? '') === place.target)
      yield violated(item, `has something else at ${place.target} than ${place.volume}`, remedy);
  for (const name of ['configs', 'secrets'])
    for (const item of itemsOf(service.entries.get(name))) {
      const given = item.kind === 'map' ? item.entries.get('target') : undefined;
      const target = given?.kind === 'scalar' ? tidyPath(given.text ?? '') : '';
      if (target === place.target || target.startsWith(`${place.target}/`))
        yield violated(item, `has something else at ${target} than ${place.volume}`, remedy);
    }
  for (const item of itemsOf(service.entries.get('volumes_from')))
    if (item.kind !== 'scalar' || !/:ro$/.test(item.text ?? ''))
      yield violated(item, 'takes the mounts of another service, as that one may write to them', 'name its own mounts');
}

/** That somebody reads secrets, and nobody is there who renders them. */
export function* agentFaults(stack: Stack, { volume, agent }: SecretsPlace): Generator<Fault> {
  const readers = [...stack.services.values()].some((service) =>
    itemsOf(service.entries.get('volumes')).some((item) => {
      const source = readMount(item)?.source;
      return source !== undefined && isVolume(source, stack, volume);
    }),
  );
  if (readers && !stack.services.has(agent))
    yield violated(stack.root, `there is no service "${agent}" that renders ${volume}`, 'name the one that does with --agent');
}

/** A volume's key, or another key with the same `name`. */
function isVolume(source: string, { volumes }: Stack, wanted: string): boolean {
  if (source === wanted) return true;
  const nameOf = (node: ComposeNode | undefined): string | undefined => {
    const name = node?.kind === 'map' ? node.entries.get('name') : undefined;
    return name?.kind === 'scalar' && name.text !== null ? name.text : undefined;
  };
  const name = nameOf(volumes.get(source));
  return name !== undefined && (name === wanted || name === nameOf(volumes.get(wanted)));
}
